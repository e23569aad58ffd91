import { rspack } from '@rspack/core';
import { basename, dirname, resolve } from 'node:path';
const [entry, out] = process.argv.slice(2);
const config = {
  entry: resolve(entry), mode: 'production', target: 'node24', devtool: false,
  output: { path: dirname(resolve(out)), filename: basename(out), module: true, chunkFormat: 'module', library: { type: 'module' } },
  resolve: { extensions: ['.mjs', '.js', '.json', '.ts'], extensionAlias: { '.js': ['.ts', '.js'] } },
  module: { rules: [{ test: /\.ts$/, loader: 'builtin:swc-loader', options: { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' } }, type: 'javascript/auto' }] },
  experiments: { outputModule: true },
  plugins: [new rspack.optimize.LimitChunkCountPlugin({ maxChunks: 1 })],
};
rspack(config, (error, stats) => {
  if (error || stats.hasErrors()) { console.error(error ?? stats.toString({ all: false, errors: true })); process.exit(1); }
});
