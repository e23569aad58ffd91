// What node does between bootstrap and the main script (pre_execution), done once for the base image; and what has to
// be fresh in every process, which `shared.refresh` does at boot.
(function prepare(native, shared, makeModules) {
  'use strict';

  const { process, internalBinding, require } = shared;
  const { BuiltinModule } = require('internal/bootstrap/realm');
  const processMethods = internalBinding('process_methods');
  // Globals whose first use loads a module that is not supported yet.
  const LEFT_LAZY = new Set(['fetch', 'FormData', 'Headers', 'Request', 'Response', 'MessageEvent', 'WebSocket', 'EventSource',
                             'CloseEvent', 'Storage', 'localStorage', 'sessionStorage', 'navigator', 'WebAssembly']);
  // Left for the app to load: deprecated modules warn who loads them.
  const LEFT_FOR_THE_APP = new Set(['punycode', 'sys']);
  const { isBuildingSnapshotBuffer: building, deserialize } = internalBinding('mksnapshot');
  const supported = new Set(native.supportedIds);

  // The failing expression is cut out of the source text, which is not kept: `assert` then says what was false in words.
  require('internal/errors/error_source').getErrorSourceExpression = () => undefined;
  refuseUnsupported();
  preExecution();
  preload();
  removeUnsupported();
  askForArch(process);
  askForArch(require('internal/process/per_thread'));

  // `os` asks the host while it is loaded. Node's own modules have an instance by now; the app gets another.
  Object.assign(BuiltinModule.map.get('os'), { exports: {}, loaded: false });

  shared.appEnvironment = makeModules({
    require(id) {
      const module = BuiltinModule.map.get(id);
      if (module === undefined) throw unsupported(id);
      return module.compileForPublicLoader();
    },
  });

  /** In the process that runs the program, before any of its JavaScript goes on. */
  shared.refresh = () => {
    internalBinding('performance').refresh();
    deserialize();
    processMethods.refresh?.();
    shared.decideOutputs();
  };

  shared.formatFatal = (error) =>
    `\n${internalBinding('errors').describeFatal(error)}\n\nNode.js ${process.version}\n`;

  /** Asked for when it is first read, so that an app that does not read it has the same snapshot for all targets. */
  function askForArch(holder) {
    const define = (own) => Object.defineProperty(holder, 'arch', { enumerable: true, configurable: true, ...own });
    define({
      get() {
        const value = native.arch();
        define({ value, writable: false });
        return value;
      },
    });
  }

  function unsupported(id) {
    const error = new Error(`The builtin module 'node:${id}' is not supported yet by edgepack`);
    error.code = 'ERR_UNKNOWN_BUILTIN_MODULE';
    return error;
  }

  function refuseUnsupported() {
    const { compileForPublicLoader } = BuiltinModule.prototype;
    BuiltinModule.prototype.compileForPublicLoader = function() {
      if (!supported.has(this.id) && !this.id.startsWith('internal/')) throw unsupported(this.id);
      return Reflect.apply(compileForPublicLoader, this, []);
    };
  }

  /** Node's own preparation, with a command line that is nobody's; the real one is read lazily from then on. */
  function preExecution() {
    const { patchProcessObject } = processMethods;
    processMethods.patchProcessObject = () => {
      // While a snapshot is built, `argv0` stays configurable.
      building[0] = 1;
      const { env } = internalBinding('process_env');
      Object.assign(process, { argv: ['node'], execArgv: [], execPath: '/node', title: 'node', env });
    };
    const { prepareMainThreadExecution, markBootstrapComplete } = require('internal/process/pre_execution');
    prepareMainThreadExecution(false, true);
    markBootstrapComplete();
    building[0] = 0;
    for (const name of ['argv', 'argv0', 'execArgv', 'execPath', 'title']) delete process[name];
    processMethods.patchProcessObject = patchProcessObject;
    patchProcessObject(process);
  }

  /** Properties that load something unsupported when they are read, as whoever copies a module does: they are absent. */
  function removeUnsupported() {
    const absent = { http: ['WebSocket', 'CloseEvent', 'MessageEvent'], util: ['setTraceSigInt'] };
    for (const id of Object.keys(absent)) {
      for (const name of absent[id]) delete require(id)[name];
    }
  }

  /** Evaluates what apps use, so that requiring it later costs nothing. */
  function preload() {
    for (const id of supported) {
      if (!LEFT_FOR_THE_APP.has(id)) BuiltinModule.map.get(id).compileForPublicLoader();
    }
    for (const id of [
      'cluster', 'internal/tty', 'internal/net', 'internal/streams/add-abort-signal', 'internal/streams/lazy_transform',
      'internal/dns/promises', 'internal/fs/streams', 'internal/fs/sync_write_stream',
      'internal/process/promises', 'internal/util/colors', 'internal/util/inspector', 'internal/util/debuglog',
      'internal/blob', 'internal/webstreams/adapters', 'internal/modules/cjs/loader', 'internal/abort_controller',
    ]) require(id);
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      if (!LEFT_LAZY.has(name)) void globalThis[name];
    }
    // What these have of JavaScript would be compiled when an app first listens for a signal, or lists addresses.
    for (const name of ['signal_wrap', 'block_list']) internalBinding(name);
  }
});
