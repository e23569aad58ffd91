// `v8.startupSnapshot`, and the module `v8` that holds it: what a program wants done before its snapshot is taken, and in
// the process that starts from it. Where start-up runs at boot no snapshot is built, as under `node FILE`.
(function makeStartupSnapshot(shared) {
  'use strict';

  const { require } = shared;
  const { validateFunction } = require('internal/validators');
  const {
    ERR_DUPLICATE_STARTUP_SNAPSHOT_MAIN_FUNCTION, ERR_NOT_BUILDING_SNAPSHOT,
  } = require('internal/errors').codes;
  const { BuiltinModule } = require('internal/bootstrap/realm');
  const UNSUPPORTED = [
    'DefaultDeserializer', 'DefaultSerializer', 'Deserializer', 'GCProfiler', 'Serializer', 'cachedDataVersionTag',
    'deserialize', 'getCppHeapStatistics', 'getHeapCodeStatistics', 'getHeapSnapshot', 'getHeapSpaceStatistics',
    'getHeapStatistics', 'isStringOneByteRepresentation', 'queryObjects', 'serialize', 'setFlagsFromString',
    'setHeapSnapshotNearHeapLimit', 'startCpuProfile', 'stopCoverage', 'takeCoverage', 'writeHeapSnapshot',
  ];

  const before = [];
  const after = [];
  let main;

  const startupSnapshot = {
    addDeserializeCallback(callback, data) {
      check(callback);
      after.push([callback, data]);
    },
    addSerializeCallback(callback, data) {
      check(callback);
      before.push([callback, data]);
    },
    setDeserializeMainFunction(callback, data) {
      check(callback);
      if (main !== undefined) throw new ERR_DUPLICATE_STARTUP_SNAPSHOT_MAIN_FUNCTION();
      main = [callback, data];
    },
    isBuildingSnapshot() {
      return Number(shared.isSealed);
    },
  };

  provide();

  return {
    /** Before the snapshot is taken. */
    serialize: () => runAll(before),
    /** In the process that starts from it. */
    deserialize: () => runAll(after),
    /** There, when start-up has ended. */
    runMain() {
      const [callback, data] = main;
      callback(data);
    },
    hasDeserialize: () => after.length > 0,
    hasMain: () => main !== undefined,
  };

  function check(callback) {
    if (!shared.isSealed) throw new ERR_NOT_BUILDING_SNAPSHOT();
    validateFunction(callback, 'callback');
  }

  function runAll(queue) {
    while (queue.length > 0) {
      const [callback, data] = queue.shift();
      callback(data);
    }
  }

  /** V8's own tools have nothing to look at here: they say so when they are called. */
  function provide() {
    const exports = { startupSnapshot };
    for (const name of UNSUPPORTED) {
      exports[name] = { [name]: function() { throw unsupported(name); } }[name];
    }
    Object.assign(BuiltinModule.map.get('v8'), { exports, exportKeys: Object.keys(exports), loaded: true, loading: false });
  }

  function unsupported(name) {
    const error = new Error(`v8.${name} is not supported yet by edgepack`);
    error.code = 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM';
    return error;
  }
});
