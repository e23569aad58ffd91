// TypeScript's types, away: as @rollup/plugin-esbuild does it.
import { transform } from 'esbuild';
export default {
  name: 'strip-types',
  async transform(code, id) {
    if (id.endsWith('.ts')) return (await transform(code, { loader: 'ts', target: 'esnext' })).code;
  },
  async resolveId(source, importer) {
    if (importer && source.startsWith('.') && source.endsWith('.js')) {
      return this.resolve(source.replace(/\.js$/, '.ts'), importer, { skipSelf: true });
    }
  },
};
