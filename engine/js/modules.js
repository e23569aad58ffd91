// How the modules of a script find each other, and run. The engine has all of this, once; a program for Node brings along
// what of it is used, each name being one declaration. `$env.require` loads a builtin.
(function ($env) {
  // `require.cache`: CommonJS modules by file name.
  var $cache = Object.create(null);

  // By id: the body, a generator function if it may be suspended; or, if it wants a whole `require`, not just its calls,
  // [body, what makes that].
  var $commonjs = [];

  // By id, below /app.
  var $paths = [];

  // Packed paths come in order, with "//" between: each as the number of folders it shares with the one before, as a
  // letter, and the rest. After a capital letter `.js` is left out.
  function $provide(commonjs, packed) {
    var names = [];
    $commonjs = commonjs;
    $paths = packed.split("//").map(function (path) {
      var letter = path.charCodeAt();
      names = names.slice(0, (letter | 32) - 97).concat(path.slice(1).split("/"));
      return names.join("/") + (letter < 97 ? ".js" : "");
    });
  }

  // The CommonJS module being evaluated, the one the program started with, and its id.
  var $current, $main, $entry;

  function $builtin(name) {
    return $env.require(name);
  }

  function $Module(filename, parent) {
    this.id = filename;
    this.path = filename.slice(0, filename.lastIndexOf("/"));
    this.exports = {};
    Object.defineProperty(this, "parent", { value: parent, writable: true, configurable: true });
    this.filename = filename;
    this.loaded = false;
    this.children = [];
    this.paths = $nodeModulesAbove(this.path);
  }
  Object.defineProperty($Module, "name", { value: "Module" });

  $Module.prototype.require = function (specifier) {
    return $requireFrom(this.filename, specifier);
  };

  function $nodeModulesAbove(path) {
    var found = [];
    for (var parts = path.split("/"); parts.length; parts.pop())
      if (parts[parts.length - 1] !== "node_modules") found.push(parts.join("/") + "/node_modules");
    return found;
  }

  function* $require(id) {
    var body = $commonjs[id], make = body[1], filename = "/app/" + $paths[id], before = $current;
    var parent = id === $entry ? null : before || $main, module = $cache[filename];
    if (module) {
      if (parent && !parent.children.includes(module)) parent.children.push(module);
      return module.exports;
    }
    module = $cache[filename] = new $Module(filename, parent);
    if (parent) parent.children.push(module);
    if (id === $entry) ($main = module).id = ".";
    var failed = true;
    $current = module;
    body = body[0] || body;
    try {
      var running = body.call(module.exports, module.exports, module, make && make(filename), filename, module.path);
      if (body.constructor !== Function) yield* running;
      module.loaded = true;
      failed = false;
    } finally {
      $current = before;
      if (failed) {
        delete $cache[filename];
        if (parent && parent.children.includes(module)) parent.children.splice(parent.children.indexOf(module), 1);
      }
    }
    return module.exports;
  }

  // Runs to the end without stopping: for `require` in functions, which cannot be suspended.
  function $finish(running) {
    for (var step; !(step = running.next()).done; )
      if (step.value) throw $coded(new Error("require() cannot be used on an ESM graph with top-level await. Use import() instead."), "ERR_REQUIRE_ASYNC_MODULE");
    return step.value;
  }

  function $requireNow(id) {
    var module = $cache["/app/" + $paths[id]];
    return module ? module.exports : $finish($require(id));
  }

  function* $startCommonJs(id) {
    $entry = id;
    yield* $require(id);
  }

  function $coded(error, code) {
    error.code = code;
    return error;
  }

  function $fail(message, filename) {
    var stack = [filename], module = $cache[filename];
    while ((module = module && module.parent)) stack.push(module.filename);
    var error = $coded(new Error(message + "\nRequire stack:\n- " + stack.join("\n- ")), "MODULE_NOT_FOUND");
    error.requireStack = stack;
    throw error;
  }

  function $failImport(message, filename) {
    return Promise.reject($coded(new Error(message.replace(/^Cannot find module '(?![./])/, "Cannot find package '") + " imported from " + filename), "ERR_MODULE_NOT_FOUND"));
  }

  // `require` as a value: its specifiers are only known now.
  function $makeRequire(filename) {
    function require(specifier) {
      return $requireFrom(filename, specifier);
    }
    require.resolve = function resolve(specifier) {
      if ($isBuiltin(specifier)) return specifier;
      return ($lookUp(filename, specifier) || $fail("Cannot find module '" + specifier + "'", filename)).path;
    };
    require.resolve.paths = function paths(specifier) {
      return $isBuiltin(specifier) ? null : $nodeModulesAbove(filename.slice(0, filename.lastIndexOf("/")));
    };
    require.main = $main;
    require.extensions = Object.assign(Object.create(null), { ".js"() {}, ".json"() {}, ".node"() {} });
    require.cache = $cache;
    return require;
  }

  function $isBuiltin(specifier) {
    return $env.require("module").isBuiltin(specifier);
  }

  function $requireFrom(filename, specifier) {
    if (typeof specifier !== "string")
      throw $coded(new TypeError('The "id" argument must be of type string. Received ' + (specifier === null ? "null" : typeof specifier)), "ERR_INVALID_ARG_TYPE");
    if (!specifier) throw $coded(new TypeError("The argument 'id' must be a non-empty string. Received ''"), "ERR_INVALID_ARG_VALUE");
    if ($isBuiltin(specifier)) return $env.require(specifier.replace(/^node:/, ""));
    var found = $lookUp(filename, specifier);
    if (!found) $fail("Cannot find module '" + specifier + "'", filename);
    return found.wrapped ? $finish($requireEsm(found.id)) : $requireNow(found.id);
  }

  var $byPath;

  function $lookUp(filename, specifier) {
    if (!$byPath) {
      $byPath = Object.create(null);
      $paths.forEach((path, id) => ($byPath["/app/" + path] = { id, path: "/app/" + path }));
      $wrapped.forEach((record, id) => ($byPath["/app/" + record.path] = { id, path: "/app/" + record.path, wrapped: true }));
    }
    var path = $builtin("path"), folder = path.dirname(filename);
    var bases = /^\.{0,2}\//.test(specifier) || specifier === "." || specifier === ".."
      ? [path.resolve(folder, specifier)]
      : $nodeModulesAbove(folder).map((above) => above + "/" + specifier);
    for (var base of bases)
      for (var ending of ["", ".js", ".json", ".ts", ".cjs", ".mjs", "/index.js", "/index.json", "/index.ts"])
        if ($byPath[base + ending]) return $byPath[base + ending];
  }

  // ES modules that are evaluated when asked for, by id. States: 0 untouched, 1 evaluating, 2 done, 3 failed.
  var $wrapped = [];

  function $define(id, path, links, awaits, body) {
    var namespace = Object.create(null);
    $wrapped[id] = { path, links, awaits, body, namespace, state: 0 };
    return namespace;
  }

  // An ES module that runs with the program, for those who `import()` it.
  function $defineEager(id, path, namespace) {
    $wrapped[id] = { path, namespace, state: 2 };
  }

  function $fill(namespace, getters, open) {
    for (var name of Object.keys(getters)) Object.defineProperty(namespace, name, { get: getters[name], enumerable: true });
    Object.defineProperty(namespace, Symbol.toStringTag, { value: "Module" });
    return open ? namespace : Object.preventExtensions(namespace);
  }

  function $namespace(getters, open) {
    return $fill(Object.create(null), getters, open);
  }

  // `export * from` a CommonJS module or builtin, whose names are only known now.
  function $star(namespace, exports) {
    for (var name in exports) $copy(namespace, exports, name);
  }

  function $copy(namespace, exports, name) {
    if (name !== "default" && !(name in namespace))
      Object.defineProperty(namespace, name, { get: () => exports[name], enumerable: true });
  }

  // Functions of all modules of a cycle exist before any of them runs.
  function $link(id) {
    var record = $wrapped[id];
    if (record.running || record.state) return;
    var body = record.body;
    record.running = body();
    var linked = record.running.next().value;
    $fill(record.namespace, linked[0], linked[1]);
    for (var link of record.links) if (link >= 0) $link(link);
  }

  // As the specification has it: modules that do not need each other run side by side. Links below zero are CommonJS
  // modules. A record that waits, or has to, has an `order`.
  function* $evaluate(id) {
    var record = $wrapped[id];
    if (!record.state) {
      var stack = [];
      $link(id);
      try {
        yield* $visit(id, stack);
      } catch (error) {
        for (var failed of stack) $settle(failed, 3, error);
      }
    }
    var root = record.root || record;
    if (root.order && root.state < 3) yield [(root.settled = root.settled || new Promise((done) => (root.settle = done)))];
    if (root.state === 3) throw root.error;
    return record.namespace;
  }

  var $order = 0;

  // Modules of a cycle stay on the stack until the one that was met first is through.
  function* $visit(id, stack) {
    var record = $wrapped[id];
    if (record.state === 3) throw record.error;
    if (record.state) return record;
    record.state = 1;
    record.index = record.low = stack.length;
    record.pending = 0;
    record.parents = [];
    stack.push(record);
    for (var link of record.links) {
      if (link < 0) {
        yield* $require(~link);
        continue;
      }
      var child = yield* $visit(link, stack);
      // One that is neither on this stack nor has a root is being evaluated by whoever requires this one.
      if (stack.includes(child)) record.low = Math.min(record.low, child.low);
      else if ((child = child.root || child).state === 3) throw child.error;
      if (child.order) {
        record.pending += 1;
        child.parents.push(record);
      }
    }
    if (record.pending || record.awaits === 2) {
      record.order = $order += 1;
      if (!record.pending) yield* $advance(record, "next");
    } else yield* record.running;
    if (record.low === record.index)
      for (var member of stack.splice(record.index)) {
        member.root = record;
        if (!member.order) member.state = 2;
      }
    return record;
  }

  function* $advance(record, method, value) {
    try {
      for (var step; !(step = record.running[method](value)).done; method = "next", value = undefined) {
        if (step.value) {
          Promise.resolve(step.value[0]).then(
            (value) => $finish($advance(record, "next", value)),
            (error) => $finish($advance(record, "throw", error)),
          );
          return;
        }
        yield;
      }
    } catch (error) {
      Promise.resolve().then(() => $fails(record, error));
      return;
    }
    Promise.resolve().then(() => $fulfil(record));
  }

  function $settle(record, state, error) {
    record.root = record.root || record;
    record.order = 0;
    record.state = state;
    record.error = error;
    if (record.settle) record.settle();
  }

  function $fails(record, error) {
    if (record.state === 3) return;
    record.state = 3;
    record.error = error;
    for (var parent of record.parents) $fails(parent, error);
    $settle(record, 3, error);
  }

  function $fulfil(record) {
    if (record.state === 3) return;
    $settle(record, 2);
    var ready = [];
    $gather(record, ready);
    for (var parent of ready.sort((a, b) => a.order - b.order)) {
      if (parent.state === 3) continue;
      if (parent.awaits === 2) $finish($advance(parent, "next"));
      else
        try {
          $finish(parent.running);
          $settle(parent, 2);
        } catch (error) {
          $fails(parent, error);
        }
    }
  }

  // Importers that have waited for this module last; one that does not await itself is done at once.
  function $gather(record, ready) {
    for (var parent of record.parents)
      if (!ready.includes(parent) && parent.root.state !== 3 && !(parent.pending -= 1)) {
        ready.push(parent);
        if (parent.awaits < 2) $gather(parent, ready);
      }
  }

  function* $requireEsm(id) {
    var record = $wrapped[id];
    if (record.awaits)
      throw $coded(new Error("require() cannot be used on an ESM graph with top-level await. Use import() instead. To see where the top-level await comes from, use --experimental-print-required-tla."), "ERR_REQUIRE_ASYNC_MODULE");
    if (record.state === 1) throw $coded(new Error("Cannot require() ES Module /app/" + record.path + " in a cycle."), "ERR_REQUIRE_CYCLE_MODULE");
    var namespace = yield* $evaluate(id);
    if ("module.exports" in namespace) return namespace["module.exports"];
    if (!("default" in namespace) || "__esModule" in namespace) return namespace;
    if (!record.view) {
      var getters = {};
      for (let name of Object.keys(namespace).concat("__esModule").sort()) getters[name] = () => (name === "__esModule" ? true : namespace[name]);
      record.view = $namespace(getters);
    }
    return record.view;
  }

  function $requireEsmNow(id) {
    return $finish($requireEsm(id));
  }

  // Runs a module body for `import()`: after the current job, waiting where it awaits.
  function $drive(running) {
    return new Promise((resolve, reject) => {
      function advance(method, value) {
        try {
          for (var step; !(step = running[method](value)).done && !step.value; value = undefined) method = "next";
        } catch (error) {
          return reject(error);
        }
        if (step.done) resolve(step.value);
        else Promise.resolve(step.value[0]).then((value) => advance("next", value), (error) => advance("throw", error));
      }
      Promise.resolve().then(() => advance("next"));
    });
  }

  function $importEsm(id) {
    var record = $wrapped[id];
    return record.promise || (record.promise = $drive($evaluate(id)));
  }

  var $imported = [];

  // A module that failed stays failed for `import()`.
  function $importCommonJs(id, kind) {
    return ($imported[id] = $imported[id] || $drive($require(id)).then((exports) => $interop(exports, kind || 1)));
  }

  function $importBuiltin(name) {
    return Promise.resolve().then(() => $interop($builtin(name), 0));
  }

  // `import()` of a specifier that is only known now.
  function $importFrom(filename, specifier) {
    return Promise.resolve(specifier).then((specifier) => {
      specifier = String(specifier);
      if (specifier.startsWith("file://")) specifier = $builtin("url").fileURLToPath(specifier);
      if ($isBuiltin(specifier)) return $importBuiltin(specifier.replace(/^node:/, ""));
      var found = $lookUp(filename, specifier);
      if (!found) return $failImport("Cannot find module '" + specifier + "'", filename);
      return found.wrapped ? $importEsm(found.id) : $importCommonJs(found.id);
    });
  }

  var $interops = new WeakMap();

  // A builtin (`kind` 0), a CommonJS module (1) or a JSON module that is imported as one (2), as `import * as` sees it.
  function $interop(exports, kind) {
    var isObject = kind < 2 && ((typeof exports === "object" && exports !== null) || typeof exports === "function");
    if (isObject && $interops.has(exports)) return $interops.get(exports);
    var values = { default: exports }, namespace = Object.create(null);
    if (kind === 1) values["module.exports"] = exports;
    if (isObject) {
      for (var name of Object.keys(exports)) if (name !== "default") values[name] = exports[name];
      if (kind && Object.hasOwn(exports, "__esModule")) values.__esModule = exports.__esModule;
    }
    for (var key of Object.keys(values).sort()) Object.defineProperty(namespace, key, { value: values[key], writable: true, enumerable: true });
    Object.defineProperty(namespace, Symbol.toStringTag, { value: "Module" });
    Object.preventExtensions(namespace);
    if (isObject) $interops.set(exports, namespace);
    return namespace;
  }

  // What `for await` iterates at the top level of a module.
  function $asyncIterator(iterable) {
    if (iterable[Symbol.asyncIterator]) return iterable[Symbol.asyncIterator]();
    var iterator = iterable[Symbol.iterator]();
    return {
      next: async () => {
        var step = iterator.next();
        return { done: step.done, value: await step.value };
      },
      return: iterator.return && (async () => iterator.return()),
    };
  }

  var $metas = Object.create(null);

  // `import.meta` as a value.
  function $meta(filename, main) {
    var url = "file://" + encodeURI(filename).replace(/[?#]/g, encodeURIComponent);
    return ($metas[filename] = $metas[filename] || {
      __proto__: null,
      dirname: filename.slice(0, filename.lastIndexOf("/")),
      filename,
      main,
      resolve(specifier) {
        if ($isBuiltin(specifier)) return "node:" + specifier.replace(/^node:/, "");
        var found = $lookUp(filename, specifier);
        return found ? "file://" + encodeURI(found.path) : new URL(specifier, url).href;
      },
      url,
    });
  }

  // What compilers put into every module that was an ES module.
  function $esModule(exports) {
    return Object.defineProperty(exports, "__esModule", { value: true });
  }

  // A renamed function or class keeps the name that the program can see. Without a name, `value` has several by theirs.
  function $named(value, name) {
    if (name == null) for (name of Object.keys(value)) $named(value[name], name);
    else return Object.defineProperty(value, "name", { value: name, configurable: true });
  }

  // What a script is given. The keys are in every script, so they are short.
  return {
    a: $asyncIterator,
    b: $builtin,
    c: $importCommonJs,
    d: $define,
    e: $evaluate,
    f: $fail,
    g: $defineEager,
    h: $failImport,
    i: $importEsm,
    k: $importBuiltin,
    l: $importFrom,
    m: $makeRequire,
    n: $requireNow,
    o: $interop,
    p: $provide,
    q: $requireEsmNow,
    r: $require,
    s: $namespace,
    t: $startCommonJs,
    u: $requireEsm,
    v: $named,
    w: $star,
    x: $meta,
    y: $esModule,
  };
})
