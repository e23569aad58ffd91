// ES modules of Node's own loader. Apps are bundled, so only what Node's library touches at start is here.
'use strict';

class ModuleWrap {
  constructor(url) {
    throw Object.assign(new Error(`ES modules from disk are not supported yet: ${url}`), { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' });
  }
}

binding.ModuleWrap = ModuleWrap;
binding.callbackMap = new WeakMap();
binding.setImportModuleDynamicallyCallback = () => {};
binding.setInitializeImportMetaObjectCallback = () => {};
