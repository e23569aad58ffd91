// Stands in for Node's `cluster`, which is not supported yet: as far as `net` asks it, this process is no worker.
'use strict';

module.exports = { isPrimary: true, isMaster: true, isWorker: false };
