// Node's hooks for a snapshot: user callbacks of `v8.startupSnapshot` are kept here and run by the program driver.
'use strict';

binding.isBuildingSnapshotBuffer[0] = 0;
binding.setSerializeCallback = (callback) => { binding.serialize = callback; };
binding.setDeserializeCallback = (callback) => { binding.deserialize = callback; };
binding.setDeserializeMainFunction = (callback) => { binding.deserializeMain = callback; };
binding.runEmbedderPreload = () => {};
