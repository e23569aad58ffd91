// node capture.mjs GUEST.wasm FOLDER: runs the guest as the build does, in another wasm machine than ours, and writes
// base.img (as `edgepack_snapshots::BaseImage` does), loaded.mem, started.mem, and what was written to stdout.
import fs from 'node:fs';
import path from 'node:path';

const [wasm, folder] = process.argv.slice(2);
const module = new WebAssembly.Module(fs.readFileSync(wasm));
let exports, written = '';
const answers = {
  stdio_write: (handle, at, length) => {
    written += Buffer.from(exports.memory.buffer, at, length).toString();
    return length;
  },
};
const edge = new Proxy(answers, { get: (all, name) => all[name] ?? (() => { throw new Error(`${name} at build`); }) });
const imports = Object.fromEntries(WebAssembly.Module.imports(module).map(({ name }) => [name, edge[name]]));
exports = new WebAssembly.Instance(module, { edge: imports }).exports;

const head = Buffer.alloc(4096);
const name = '__stack_pointer';
head.write('edgebas1');
head.writeUInt32LE(1, 40);
head.writeUInt32LE(name.length, 44);
head.write(name, 48);
head.writeBigInt64LE(BigInt(exports[name].value), 48 + name.length);
const memory = () => Buffer.from(exports.memory.buffer.slice(0));

exports._initialize();
if (exports.edge_bootstrap() !== 0) throw new Error('bootstrap failed');
fs.writeFileSync(path.join(folder, 'base.img'), Buffer.concat([head, memory()]));
const text = Buffer.from('a package');
const at = exports.edge_alloc(text.length);
Buffer.from(exports.memory.buffer, at, text.length).set(text);
if (exports.edge_load(at, text.length) !== 0) throw new Error('load failed');
fs.writeFileSync(path.join(folder, 'loaded.mem'), memory());
fs.writeFileSync(path.join(folder, 'ballast'), String(exports.edge_ballast() / 4096));
if (exports.edge_start(-1n) !== 1) throw new Error('start failed');
fs.writeFileSync(path.join(folder, 'started.mem'), memory());
fs.writeFileSync(path.join(folder, 'stdout'), written);
