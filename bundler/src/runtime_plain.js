// What differs in a program that Node runs: `require`, `__filename` and `import()` are the script's own.
(function ($env) {
  // CommonJS modules by id: their bodies, and what they are once they have begun to run.
  var $commonjs = [], $loaded = [];

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

  function $importCommonJs(id) {
    return ($imported[id] = $imported[id] || Promise.resolve().then(() => $interop($require(id), true)));
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
