// Starts Node's library: per-context scripts, the realm, the bootstrap scripts in node's own order, then the modules
// that the base image holds ready. Runs once, when the base image is made.
(function bootstrap(native, node, makeSkeletons) {
  'use strict';

  completeCallSites();
  // Errors have an own `stack` (docs/decisions/error-stack.md).
  delete Error.prototype.stack;

  const privateSymbols = { __proto__: null };
  const perIsolateSymbols = { __proto__: null };
  const skeleton = makeSkeletons(node.bindings, (binding, path, description) => {
    const name = path.slice(path.lastIndexOf('.') + 1);
    if (path.startsWith('privateSymbols.')) return privateSymbols[name] ??= native.privateSymbol(description);
    return perIsolateSymbols[name] ??= Symbol(description);
  });
  skeleton('util');
  skeleton('symbols');

  // What C++ shares with the per-context scripts.
  const perContextExports = { __proto__: null };
  const primordials = { __proto__: null };
  for (const id of ['primordials', 'domexception', 'messageport']) {
    const script = native.compile(`internal/per_context/${id}`, ['exports', 'primordials', 'privateSymbols', 'perIsolateSymbols']);
    script(perContextExports, primordials, privateSymbols, perIsolateSymbols);
  }

  const process = makeProcess(privateSymbols);
  const shared = { process, primordials, privateSymbols, perIsolateSymbols, perContextExports, node, options: skeleton('#options'), embedderOptions: skeleton('#embedderOptions'), internalBinding: null, require: null };

  const cache = { __proto__: null };
  function getInternalBinding(name) {
    let binding = cache[name];
    if (binding !== undefined) return binding;
    binding = skeleton(name) ?? { __proto__: null };
    cache[name] = binding;
    const helpers = { __proto__: null };
    const glue = native.initBinding(name, binding, helpers);
    if (glue !== undefined) glue(binding, helpers, getInternalBinding, primordials, shared);
    return binding;
  }

  const realm = native.compile('internal/bootstrap/realm', ['process', 'getLinkedBinding', 'getInternalBinding', 'primordials']);
  realm(process, getInternalBinding, getInternalBinding, primordials);
  const { require, internalBinding } = shared;

  const parameters = ['process', 'require', 'internalBinding', 'primordials'];
  const run = (id) => native.compile(id, parameters)(process, require, internalBinding, primordials);
  const snapshot = internalBinding('mksnapshot');
  const building = snapshot.isBuildingSnapshotBuffer;
  building[0] = 1;
  require('internal/v8/startup_snapshot');
  building[0] = 0;
  run('internal/bootstrap/node');
  run('internal/bootstrap/web/exposed-wildcard');
  run('internal/bootstrap/web/exposed-window-or-worker');
  run('internal/bootstrap/switches/is_main_thread');
  // In this mode it registers that the working directory, which it caches, has to be fresh in every process. The other
  // scripts would register what only V8's snapshots need.
  building[0] = 1;
  run('internal/bootstrap/switches/does_own_process_state');
  snapshot.serialize();
  building[0] = 0;
  return shared;

  /** QuickJS's call sites lack most of V8's methods, and the text that a stack line shows. */
  function completeCallSites() {
    native.setStackFormatter((error, callSites) => callSites);
    const prototype = Object.getPrototypeOf(new Error('').stack[0]);
    native.setStackFormatter((error, callSites) => [error, ...callSites].join('\n    at '));
    // A position in the bundle is shown as the place in the app's sources that it comes from, where there is one.
    const raw = {};
    for (const name of ['getFileName', 'getLineNumber', 'getColumnNumber']) {
      raw[name] = Function.prototype.call.bind(prototype[name]);
    }
    const place = (site) => {
      const file = raw.getFileName(site);
      const found = file ? native.originalPlace(file, raw.getLineNumber(site), raw.getColumnNumber(site)) : undefined;
      if (found === undefined) return undefined;
      const column = found.lastIndexOf(':');
      const line = found.lastIndexOf(':', column - 1);
      return [found.slice(0, line), +found.slice(line + 1, column), +found.slice(column + 1)];
    };
    const position = (site) => {
      const file = site.getFileName();
      if (!file || site.isNative()) return 'native';
      return `${file}:${site.getLineNumber()}:${site.getColumnNumber()}`;
    };
    const methods = {
      getFileName() { return place(this)?.[0] ?? raw.getFileName(this); },
      getLineNumber() { return place(this)?.[1] ?? raw.getLineNumber(this); },
      getColumnNumber() { return place(this)?.[2] ?? raw.getColumnNumber(this); },
      getThis() { return undefined; },
      getTypeName() { return null; },
      getMethodName() { return null; },
      getEvalOrigin() { return undefined; },
      getScriptNameOrSourceURL() { return this.getFileName(); },
      getScriptHash() { return ''; },
      getEnclosingLineNumber() { return this.getLineNumber(); },
      getEnclosingColumnNumber() { return this.getColumnNumber(); },
      getPosition() { return 0; },
      getPromiseIndex() { return null; },
      isToplevel() { return true; },
      isEval() { return false; },
      isAsync() { return false; },
      isPromiseAll() { return false; },
      toString() {
        const name = this.getFunctionName();
        if (!name || name === '<anonymous>') return position(this);
        return `${this.isConstructor() ? 'new ' : ''}${name} (${position(this)})`;
      },
    };
    for (const name of Object.keys(methods)) {
      Object.defineProperty(prototype, name, { value: methods[name], writable: true, configurable: true });
    }
  }

  function makeProcess(symbols) {
    // The class node's C++ gives the process object.
    function process() {}
    const object = Object.create(Object.create(Object.prototype, {
      constructor: { value: process, writable: true, configurable: true },
    }));
    process.prototype = Object.getPrototypeOf(object);
    object[symbols.exit_info_private_symbol] = new Int32Array(3);
    const version = (value) => ({ value, enumerable: true });
    Object.defineProperties(object, {
      version: version(node.version),
      versions: version(Object.freeze(node.versions)),
      // What nothing reads before `askForArch` of prepare.js.
      arch: { value: undefined, enumerable: true, configurable: true },
      platform: version('linux'),
      release: version(node.release),
    });
    return object;
  }
});
