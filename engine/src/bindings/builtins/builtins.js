// Sources of Node's library, compiled when first required.
'use strict';

const PARAMETERS = ['exports', 'require', 'module', 'process', 'internalBinding', 'primordials'];
const { node } = shared;

binding.builtinIds = node.builtinIds;
binding.natives = { __proto__: null };
binding.config = node.config;
binding.hasCachedBuiltins = () => true;
binding.compileFunction = (id) => native.compile(id, PARAMETERS);
binding.setInternalLoaders = (internalBinding, require) => {
  shared.internalBinding = internalBinding;
  shared.require = require;
};
