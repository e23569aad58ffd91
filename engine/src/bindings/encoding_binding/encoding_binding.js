// `encodeInto` answers in an array that JavaScript reads at once.
'use strict';

const results = binding.encodeIntoResults;

binding.encodeInto = (text, target) => native.encodeInto(text, target, results);
