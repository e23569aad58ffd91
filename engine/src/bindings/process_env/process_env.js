'use strict';
// The object `process.env`: every property is a variable, every value a string.
const {
  ObjectCreate, ObjectDefineProperty, ObjectGetPrototypeOf, ObjectPrototype, Proxy, ReflectGet, ReflectHas, String, TypeError,
} = primordials;

// Node's is made of a template with a constructor of its own.
const target = ObjectCreate({ __proto__: ObjectPrototype });
ObjectDefineProperty(ObjectGetPrototypeOf(target), 'constructor', {
  __proto__: null, value: ObjectDefineProperty(function() {}, 'name', { __proto__: null, value: '' }),
  writable: true, enumerable: false, configurable: true,
});

function text(value) {
  if (typeof value === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string');
  return String(value);
}

function invalid(message) {
  const error = new TypeError(message);
  error.code = 'ERR_INVALID_OBJECT_DEFINE_PROPERTY';
  return error;
}

const env = new Proxy(target, {
  __proto__: null,
  get(_, name, receiver) {
    if (typeof name === 'symbol') return ReflectGet(target, name);
    return native.get(name) ?? ReflectGet(target, name);
  },
  set(_, name, value) {
    native.set(text(name), text(value));
    return true;
  },
  has(_, name) {
    if (typeof name === 'symbol') return ReflectHas(target, name);
    return native.get(name) !== undefined || ReflectHas(target, name);
  },
  deleteProperty(_, name) {
    if (typeof name === 'string') native.delete(name);
    return true;
  },
  ownKeys() {
    return native.names();
  },
  getOwnPropertyDescriptor(_, name) {
    if (typeof name === 'symbol') return undefined;
    // A listing only wants to know that the name is there: the value is left unread (reading stops a build).
    if (native.listsNames()) return { value: undefined, writable: true, enumerable: true, configurable: true };
    const value = native.get(name);
    if (value === undefined) return undefined;
    return { value, writable: true, enumerable: true, configurable: true };
  },
  defineProperty(_, name, descriptor) {
    if ('value' in descriptor) {
      if (!descriptor.configurable || !descriptor.writable || !descriptor.enumerable) {
        throw invalid("'process.env' only accepts a configurable, writable, and enumerable data descriptor");
      }
      native.set(text(name), text(descriptor.value));
      return true;
    }
    if ('get' in descriptor || 'set' in descriptor) {
      throw invalid("'process.env' does not accept an accessor(getter/setter) descriptor");
    }
    throw invalid("'process.env' only accepts a configurable, writable, and enumerable data descriptor");
  },
});

native.passForPlain(env);
binding.env = env;
