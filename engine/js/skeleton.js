// Makes binding objects of the skeleton that was taken from node: constants by value, and functions that say that
// they are not supported yet.
(function makeSkeletons(bindings, symbols) {
  'use strict';

  function notSupported(binding, name) {
    const stub = function() {
      const error = new Error(`not supported yet: ${binding}.${name}`);
      error.code = 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM';
      throw error;
    };
    Object.defineProperty(stub, 'name', { value: name, configurable: true });
    return stub;
  }

  function decode(value, binding, path) {
    if (value === null || typeof value !== 'object') return value;
    switch (value.$) {
      case 'undefined': return undefined;
      case 'number': return Number(value.v);
      case 'bigint': return BigInt(value.v);
      case 'symbol': return symbols(binding, path, value.v);
      case 'function': return notSupported(binding, path);
      case 'view': return new globalThis[value.v](value.v === 'DataView' ? new ArrayBuffer(value.n) : value.n);
      case 'buffer': return new ArrayBuffer(value.n);
      case 'map': return new Map(value.v.map((pair) => decode(pair, binding, path)));
      case 'set': return new Set();
      case 'array': return value.v.map((item) => decode(item, binding, path));
      default: {
        const object = value.bare ? { __proto__: null } : {};
        for (const key of Object.keys(value.v)) object[key] = decode(value.v[key], binding, path ? `${path}.${key}` : key);
        return object;
      }
    }
  }

  return (name) => (Object.hasOwn(bindings, name) ? decode(bindings[name], name, '') : undefined);
});
