// Tracing is not built in: no category is ever enabled.
'use strict';

const disabled = new Uint8Array(1);
binding.getCategoryEnabledBuffer = () => disabled;
binding.getEnabledCategories = () => undefined;
binding.isTraceCategoryEnabled = () => false;
binding.setTraceCategoryStateUpdateHandler = () => {};
binding.trace = () => {};
