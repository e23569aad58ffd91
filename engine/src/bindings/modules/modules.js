// package.json look-ups for Node's CommonJS loader (`edgepack node`), over the guest's own file calls.
'use strict';

const cache = new Map();
const SLASH = '/';

function read(path) {
  if (cache.has(path)) return cache.get(path);
  let text;
  try {
    text = internalBinding('fs').readFileUtf8(path, 0);
  } catch {
    text = undefined;
  }
  const found = text === undefined ? undefined : parse(path, text);
  cache.set(path, found);
  return found;
}

// The tuple that internal/modules/package_json_reader expects: name, main, type, imports, exports, path.
function parse(path, text) {
  const json = JSON.parse(text);
  const type = json.type === 'module' || json.type === 'commonjs' ? json.type : 'none';
  const field = (value) => (value === undefined || typeof value === 'string' ? value : JSON.stringify(value));
  return [
    typeof json.name === 'string' ? json.name : undefined,
    typeof json.main === 'string' ? json.main : undefined,
    type,
    field(json.imports),
    field(json.exports),
    path,
  ];
}

function nearest(path) {
  let folder = path;
  for (;;) {
    const end = folder.lastIndexOf(SLASH);
    if (end < 0) return undefined;
    folder = folder.slice(0, end);
    if (folder.endsWith('/node_modules')) return undefined;
    const found = read(`${folder}/package.json`);
    if (found !== undefined) return found;
    if (folder === '') return undefined;
  }
}

binding.readPackageJSON = (path) => read(path);
binding.getNearestParentPackageJSON = nearest;
binding.getNearestParentPackageJSONType = (path) => nearest(path)?.[2] ?? 'none';
binding.getPackageScopeConfig = (url) => nearest(new URL(url).pathname) ?? `${new URL('./package.json', url).pathname}`;
binding.getPackageType = (url) => nearest(new URL(url).pathname)?.[2];
binding.enableCompileCache = () => [3];
binding.getCompileCacheDir = () => undefined;
binding.flushCompileCache = () => {};
binding.getCompileCacheEntry = () => undefined;
binding.saveCompileCacheEntry = () => {};
binding.setLazyPathHelpers = () => {};
