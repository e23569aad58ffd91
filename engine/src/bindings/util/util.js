// Lazy properties, names of constructors, shared memory.
'use strict';

const { Reflect, SharedArrayBuffer, Symbol } = globalThis;

/** Properties that load the builtin `id` when first read, and are plain data from then on. */
binding.defineLazyProperties = (target, id, keys, enumerable = true) => {
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    const become = (holder, value) =>
      Reflect.defineProperty(holder, key, { __proto__: null, value, writable: true, enumerable, configurable: true });
    Reflect.defineProperty(target, key, {
      __proto__: null,
      enumerable,
      configurable: true,
      get() {
        const value = shared.require(id)[key];
        become(target, value);
        return value;
      },
      set(value) {
        become(this, value);
      },
    });
  }
};

/** By a tag or a constructor found on the way up the prototypes as plain data, or by the engine's class. */
binding.getConstructorName = (object) => {
  for (let holder = object; holder !== null && native.isOrdinary(holder); holder = Reflect.getPrototypeOf(holder)) {
    const tag = Reflect.getOwnPropertyDescriptor(holder, Symbol.toStringTag)?.value;
    if (typeof tag === 'string') return tag;
    const constructor = Reflect.getOwnPropertyDescriptor(holder, 'constructor')?.value;
    if (typeof constructor !== 'function' || !native.isOrdinary(constructor)) continue;
    const name = Reflect.getOwnPropertyDescriptor(constructor, 'name')?.value;
    if (typeof name === 'string' && name !== '') return name;
  }
  return native.className(object);
};

binding.constructSharedArrayBuffer = (length) => new SharedArrayBuffer(length);
