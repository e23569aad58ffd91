'use strict';
// Maps of error numbers. Node's errors.js looks numbers up in `errmap`, users get a fresh map from `getErrorMap`:
// the refusals of the sandbox are known to the first only.
const { ArrayPrototypePush, Map, MapPrototypeSet, ObjectDefineProperty } = primordials;

const REFUSAL_FIRST = 10000;
const REFUSALS = 6;

binding.getErrorMap = function getErrorMap() {
  const flat = native.numbers();
  const map = new Map();
  for (let i = 0; i < flat.length; i += 3) MapPrototypeSet(map, flat[i], [flat[i + 1], flat[i + 2]]);
  return map;
};

function errmap() {
  const map = binding.getErrorMap();
  for (let i = 0; i < REFUSALS; i++) {
    const number = -REFUSAL_FIRST - i;
    const entry = [];
    ArrayPrototypePush(entry, 'ERR_ACCESS_DENIED');
    // The message names the resource that was refused last, so it is read when the error is made.
    ObjectDefineProperty(entry, 1, { __proto__: null, get: () => native.refusal(number) });
    MapPrototypeSet(map, number, entry);
  }
  return map;
}

let known;
ObjectDefineProperty(binding, 'errmap', {
  __proto__: null,
  configurable: true,
  get: () => (known ??= errmap()),
  set(map) { known = map; },
});

// An error for the last host call that was refused with this number; bindings throw it or hand it on.
shared.accessDenied = native.accessDenied;
