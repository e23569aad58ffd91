// What node does between bootstrap and the main script (pre_execution), done once in the base image; and what has to
// be fresh in every process, which `shared.refresh` does at boot.
(function prepare(native, shared) {
  'use strict';

  const { process, internalBinding, require } = shared;
  const { BuiltinModule } = require('internal/bootstrap/realm');
  const supported = new Set(native.supportedIds);

  const compileForPublicLoader = BuiltinModule.prototype.compileForPublicLoader;
  BuiltinModule.prototype.compileForPublicLoader = function() {
    if (!supported.has(this.id) && !this.id.startsWith('internal/')) throw unsupported(this.id);
    return Reflect.apply(compileForPublicLoader, this, []);
  };

  function unsupported(id) {
    const error = new Error(`The builtin module 'node:${id}' is not supported yet by edgepack`);
    error.code = 'ERR_UNKNOWN_BUILTIN_MODULE';
    return error;
  }

  shared.appEnvironment = {
    require(id) {
      const module = BuiltinModule.map.get(id);
      if (module === undefined) throw unsupported(id);
      return module.compileForPublicLoader();
    },
  };
  shared.refresh = () => {
    internalBinding('performance').refresh();
  };
  shared.formatFatal = (error) => `\n${error?.stack ?? error}\n\nNode.js ${process.version}\n`;
});
