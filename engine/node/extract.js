// Writes what the engine is started from, as one package: the sources of Node's library, the skeleton of every internal
// binding (constants by value, functions by name), both taken from node itself, and the engine's own scripts.
//
//   node --expose-internals extract.js OUT
'use strict';

const { internalBinding } = require('internal/test/binding');
const { readFileSync, readdirSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const { natives } = internalBinding('builtins');

// Bindings that node refuses to load or that are rebuilt by hand.
const SKIPPED = new Set(['builtins', 'internal_only_v8', 'quic', 'sqlite']);
const NAMES = `async_context_frame async_wrap blob block_list buffer cares_wrap cjs_lexer config constants contextify
  credentials crypto diagnostics_channel encoding_binding errors fs fs_dir fs_event_wrap heap_utils http2 http_parser
  icu inspector ipc_serdes js_stream locks messaging mksnapshot module_wrap modules options os performance permission
  pipe_wrap process_methods process_wrap profiler report sea serdes signal_wrap spawn_sync stream_pipe stream_wrap
  string_decoder symbols task_queue tcp_wrap timers tls_wrap trace_events tty_wrap types udp_wrap url url_pattern util
  uv v8 wasi wasm_web_api watchdog webstorage worker zlib`.split(/\s+/).filter((name) => !SKIPPED.has(name));

// Modules that nothing supported can reach. They would take a fifth of the base image; what loads one all the same gets
// an error that names it.
const LEFT_OUT = [
  // V8's tools, the test runner, the debugger, the prompt, Node's own main scripts and tests.
  'internal/deps/v8/', 'internal/deps/acorn/', 'internal/deps/amaro/', 'internal/deps/undici/', 'internal/deps/minimatch/',
  'internal/test_runner/', 'test', 'test/', 'internal/debugger/', 'inspector', 'inspector/', 'internal/inspector/',
  'internal/inspector_', 'repl', 'internal/repl', 'internal/repl/await', 'internal/repl/completion', 'internal/repl/utils',
  'internal/main/', 'internal/test/', 'internal/v8_prof_', 'v8', 'internal/watch_mode/', 'internal/sea', 'sea',
  'internal/process/execution_sea', 'internal/policy/', 'internal/freeze_intrinsics',
  // Other threads, processes and realms.
  'internal/worker', 'internal/worker/messaging', 'worker_threads',
  'internal/process/worker_thread_only', 'internal/modules/esm/worker', 'internal/modules/esm/hooks',
  'internal/error_serdes', 'internal/locks', 'child_process', 'internal/child_process', 'internal/child_process/',
  'internal/socket_list', 'cluster', 'internal/cluster/', 'domain', 'internal/bootstrap/switches/is_not_',
  'internal/bootstrap/switches/does_not_own_process_state', 'internal/bootstrap/shadow_realm', 'internal/vm/module',
  'trace_events', 'internal/trace_events_', 'internal/heap_utils', 'internal/watchdog',
  // Protocols and formats that are not supported yet.
  'dgram', 'internal/dgram', 'internal/quic/', 'quic', 'internal/http2/', 'http2', 'https', 'tls', '_tls_', 'internal/tls/', 'internal/js_stream_socket',
  'sqlite', 'wasi', 'internal/wasm_web_api', 'internal/webstorage', 'internal/fs/glob',
  // Behind flags: iterable streams.
  'stream/iter', 'zlib/iter', 'internal/streams/iter/',
  // Web Crypto's algorithms.
  'internal/crypto/aes', 'internal/crypto/cfrg', 'internal/crypto/chacha20_poly1305', 'internal/crypto/ec',
  'internal/crypto/ml_', 'internal/crypto/rsa',
];

/** An entry that ends in `/` or `_` stands for all that start so. */
function isLeftOut(id) {
  return LEFT_OUT.some((entry) => (/[/_]$/.test(entry) ? id.startsWith(entry) : id === entry));
}

function encode(value, depth) {
  if (value === undefined) return { $: 'undefined' };
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') {
    return Number.isFinite(value) && !Object.is(value, -0) ? value : { $: 'number', v: String(value) };
  }
  if (typeof value === 'bigint') return { $: 'bigint', v: String(value) };
  if (typeof value === 'symbol') return { $: 'symbol', v: value.description };
  if (typeof value === 'function') return { $: 'function', v: value.name };
  if (ArrayBuffer.isView(value)) return { $: 'view', v: value.constructor.name, n: value.length ?? value.byteLength };
  if (value instanceof ArrayBuffer) return { $: 'buffer', n: value.byteLength };
  if (value instanceof Map) return { $: 'map', v: [...value].map((pair) => encode(pair, depth + 1)) };
  if (value instanceof Set) return { $: 'set' };
  if (depth > 6) return { $: 'undefined' };
  if (Array.isArray(value)) return { $: 'array', v: value.map((item) => encode(item, depth + 1)) };
  const properties = {};
  for (const key of Object.getOwnPropertyNames(value)) {
    try {
      properties[key] = encode(value[key], depth + 1);
    } catch {
      // A getter that fails on the wrong receiver: nothing to copy.
    }
  }
  return { $: 'object', v: properties, bare: Object.getPrototypeOf(value) === null };
}

const bindings = {};
for (const name of NAMES) bindings[name] = encode(internalBinding(name), 0);

const { getCLIOptionsValues, getEmbedderOptions } = internalBinding('options');
bindings['#options'] = encode(getCLIOptionsValues(), 0);
bindings['#embedderOptions'] = encode(getEmbedderOptions(), 0);

const skeleton = {
  version: process.version,
  versions: { ...process.versions },
  release: process.release,
  config: internalBinding('builtins').config,
  builtinIds: Object.keys(natives),
  bindings,
};

// `edgepack_format::guest::Package`: magic, mode, then length-prefixed fields: entry, script, source map, files.
const parts = [Buffer.from('edgepkg3\0')];
function put(text) {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  parts.push(length, bytes);
}
for (const field of ['', JSON.stringify(skeleton), '']) put(field);
for (const [id, source] of Object.entries(natives)) {
  if (isLeftOut(id)) continue;
  put(id);
  put(source);
}
put('cluster');
put(readFileSync(join(__dirname, 'cluster.js')));
// The engine's own JavaScript: `engine/js`, and the glue of bindings, each in as many files as it has, its own name's last.
const engine = join(__dirname, '..');
const read = (folder, name) => readFileSync(join(folder, name), 'utf8');
const scripts = (folder) => readdirSync(folder).filter((name) => name.endsWith('.js')).sort();
for (const name of scripts(join(engine, 'js'))) {
  put(`edgepack/js/${name.slice(0, -'.js'.length)}`);
  put(read(join(engine, 'js'), name));
}
const bindingsFolder = join(engine, 'src/bindings');
for (const { name } of readdirSync(bindingsFolder, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
  const folder = join(bindingsFolder, name);
  const own = `${name}.js`;
  const parts = scripts(folder).filter((part) => part !== own).concat(own);
  if (!scripts(folder).includes(own)) continue;
  put(`edgepack/bindings/${name}`);
  put(parts.map((part) => read(folder, part)).join(''));
}
writeFileSync(process.argv[2], Buffer.concat(parts));
