// What differs in a program that Node runs: `require`, `__filename` and `import()` are the script's own.
(function ($env) {
  // CommonJS modules by id: their bodies, and what they are once they have begun to run.
  var $commonjs = $table, $loaded = [];

  function $require(id) {
    var module = $loaded[id];
    if (!module) {
      module = $loaded[id] = { exports: {} };
      try {
        $commonjs[id].call(module.exports, module.exports, module);
      } catch (error) {
        $loaded[id] = null;
        throw error;
      }
    }
    return module.exports;
  }

  function $builtin(name) {
    return require(name);
  }

  function $isBuiltin(specifier) {
    return $builtin("module").isBuiltin(specifier);
  }

  function $fail(message) {
    throw $coded(new Error(message), "MODULE_NOT_FOUND");
  }

  var $imported = [];

  function $importCommonJs(id, kind) {
    return ($imported[id] = $imported[id] || Promise.resolve().then(() => $interop($require(id), kind || 1)));
  }

  // What an ES module does when it is asked for, once.
  function $lazy(run, result, failure) {
    return () => {
      if (failure) throw failure[0];
      try {
        return run ? (result = run((run = 0))) : result;
      } catch (error) {
        throw (failure = [error])[0];
      }
    };
  }

  // One that waits: whoever asks gets the same promise.
  function $once(run, result) {
    return () => (run ? (result = run((run = 0))) : result);
  }

  function $openNamespace(getters) {
    for (var name in getters) getters[name] = { get: getters[name], enumerable: true };
    getters[Symbol.toStringTag] = { value: "Module" };
    return Object.create(null, getters);
  }

  function $namespace(getters) {
    return Object.preventExtensions($openNamespace(getters));
  }

  // ES modules that CommonJS modules ask for, by id: [what runs it, namespace].
  var $esm = [];

  function $register(id, init, namespace) {
    $esm[id] = [init, namespace];
  }

  var $views = new WeakMap();

  function $requireEsm(init, namespace) {
    if (init && init()) throw $coded(new Error("require() cannot be used on an ESM graph with top-level await. Use import() instead."), "ERR_REQUIRE_ASYNC_MODULE");
    if ("module.exports" in namespace) return namespace["module.exports"];
    if (!("default" in namespace) || "__esModule" in namespace) return namespace;
    var view = $views.get(namespace);
    if (!view) {
      var getters = {};
      for (let name of Object.keys(namespace).concat("__esModule").sort()) getters[name] = () => (name === "__esModule" ? true : namespace[name]);
      $views.set(namespace, (view = $namespace(getters)));
    }
    return view;
  }

  function $requireEsmNow(id) {
    return $requireEsm($esm[id][0], $esm[id][1]);
  }

  function $importEsm(init, namespace) {
    return Promise.resolve().then(init).then(() => namespace);
  }

  function $importEsmNow(id) {
    return $importEsm($esm[id][0], $esm[id][1]);
  }

  // `import.meta` in a script that is no ES module.
  function $meta(path, main) {
    return { __proto__: null, dirname: __dirname, filename: __filename, main, url: require("url").pathToFileURL(__filename).href };
  }

  // What an ES module that is the entry exports.
  function $export(exports, getters) {
    Object.defineProperty(exports, "__esModule", { value: true });
    for (var name in getters) Object.defineProperty(exports, name, { get: getters[name], enumerable: true });
  }
})
