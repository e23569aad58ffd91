(function*({ b: require }) {
  const fs = require('fs');
  const path = require('path');
  const crypto = require('crypto');
  const zlib = require('zlib');
  const EventEmitter = require('events');
  const bytes = Buffer.from('a sensor line\n'.repeat(100));
  console.log(path.join('/a', '..', 'b'), fs.existsSync('/no/such/file'), process.env.HOME, process.argv.length);
  console.log(crypto.createHash('sha256').update(bytes).digest('hex'));
  console.log(zlib.gunzipSync(zlib.gzipSync(bytes)).equals(bytes));
  const events = new EventEmitter();
  events.on('line', (line) => console.error('%s', line, { nested: [1, 2, { deep: true }] }));
  process.nextTick(() => events.emit('line', 'tick'));
  setImmediate(() => events.emit('line', 'immediate'));
  setTimeout(() => events.emit('line', 'timeout'), 1);
  const sleep = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });
  (async () => {
    await sleep(1);
    const { size } = await fs.promises.stat('/');
    events.emit('line', `async ${typeof size} ${new URL('http://host/path?query#hash').pathname}`);
  })();
})
