'use strict';
// Structured clone in two halves: `serialize` turns a value into records that hold no object of the sender's, and
// `deserialize` makes the value anew of them. Between the halves a message can wait in a port's queue.

const {
  ArrayBuffer, ArrayBufferPrototypeGetByteLength, ArrayBufferPrototypeGetDetached,
  ArrayBufferPrototypeGetMaxByteLength, ArrayBufferPrototypeGetResizable, ArrayBufferPrototypeSlice,
  ArrayBufferPrototypeTransfer, ArrayPrototypePush, BigIntPrototypeValueOf, BooleanPrototypeValueOf, DataView,
  DataViewPrototypeGetBuffer, DataViewPrototypeGetByteLength, DataViewPrototypeGetByteOffset, Date, DatePrototypeGetTime,
  Error, EvalError, FunctionPrototypeToString, Map, MapPrototypeSet, NumberPrototypeValueOf, Object, ObjectDefineProperty,
  ObjectGetOwnPropertyDescriptor, ObjectGetPrototypeOf, ObjectKeys, ObjectPrototype, RangeError, ReferenceError, ReflectApply,
  ReflectConstruct, RegExp, RegExpPrototypeGetFlags, RegExpPrototypeGetSource, SafeMap, Set, SetPrototypeAdd, String,
  StringPrototypeValueOf, Symbol, SymbolPrototypeToString, SymbolToStringTag, SyntaxError, TypeError,
  TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteOffset, TypedArrayPrototypeGetLength,
  TypedArrayPrototypeGetSymbolToStringTag, TypedArrayPrototypeSet, URIError, Uint8Array, globalThis,
} = primordials;
const { kinds } = native;
const {
  transfer_mode_private_symbol: kTransferMode, untransferable_object_private_symbol: kUntransferable,
} = shared.privateSymbols;
const {
  messaging_clone_symbol: kClone, messaging_deserialize_symbol: kDeserialize, messaging_transfer_symbol: kTransfer,
  messaging_transfer_list_symbol: kTransferList,
} = shared.perIsolateSymbols;
const TRANSFERABLE = 1;
const CLONEABLE = 2;

// What a handle class of a binding has to be cloned or transferred: each returns a function that makes the new handle.
const kCloneHandle = Symbol('cloneHandle');
const kTransferHandle = Symbol('transferHandle');

const ERROR_CONSTRUCTORS = {
  __proto__: null, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError,
};

let createFromInfo;

binding.setDeserializerCreateObjectFunction = (create) => {
  createFromInfo = create;
};

function dataCloneError(message) {
  return new shared.perContextExports.DOMException(message, 'DataCloneError');
}

/** A property found as plain data on the object or up its prototypes. Of a proxy, whatever it answers. */
function dataProperty(object, key) {
  for (let holder = object; holder !== null; holder = ObjectGetPrototypeOf(holder)) {
    if (native.kind(holder) === kinds.Proxy) return holder[key];
    const descriptor = ObjectGetOwnPropertyDescriptor(holder, key);
    if (descriptor !== undefined) return descriptor.value;
  }
  return undefined;
}

/** How V8 names a value that cannot be cloned. */
function describe(value) {
  if (typeof value === 'symbol') return SymbolPrototypeToString(value);
  if (typeof value === 'function') return FunctionPrototypeToString(value);
  if (dataProperty(value, 'toString') === ObjectPrototype.toString) {
    const constructor = dataProperty(value, 'constructor');
    const name = typeof constructor === 'function' ? dataProperty(constructor, 'name') : undefined;
    if (typeof name === 'string' && name !== '') return `#<${name}>`;
  }
  const tag = dataProperty(value, SymbolToStringTag);
  return `[object ${typeof tag === 'string' ? tag : native.className(value)}]`;
}

function uncloneable(value) {
  return dataCloneError(`${describe(value)} could not be cloned.`);
}

/** Stands for the object that record `index` describes. */
class Reference {
  constructor(index) {
    this.index = index;
  }
}

class Writer {
  records = [];
  hosts = [];
  #references = new SafeMap();
  #transferredBuffers = [];
  #transferredHosts = 0;

  /** Registers what is in the transfer list; nothing is detached before the whole value was read. */
  addTransfers(list, source) {
    for (let i = 0; i < list.length; i++) {
      const entry = list[i];
      if (native.kind(entry) === kinds.ArrayBuffer) this.#addBuffer(entry);
      else this.#addTransferredHost(entry, source);
    }
    for (let i = 0; i < this.hosts.length; i++) this.#addNested(this.hosts[i].object, source);
    this.#transferredHosts = this.hosts.length;
  }

  #addBuffer(buffer) {
    if (ArrayBufferPrototypeGetDetached(buffer) || buffer[kUntransferable] !== undefined) {
      throw dataCloneError('Cannot transfer object of unsupported type.');
    }
    if (this.#references.has(buffer)) throw dataCloneError('Transfer list contains duplicate ArrayBuffer');
    const record = { read: readTransferredBuffer, buffer };
    ArrayPrototypePush(this.#transferredBuffers, record);
    this.#addRecord(buffer, record);
  }

  #addTransferredHost(entry, source) {
    if (entry[kTransferMode] === undefined && entry[kTransferHandle] === undefined) {
      throw dataCloneError('Found invalid value in transferList.');
    }
    if (entry[kUntransferable] !== undefined) throw dataCloneError('Cannot transfer object of unsupported type.');
    if (entry === source) throw dataCloneError('Transfer list contains source port');
    if (this.#references.has(entry)) {
      throw dataCloneError(`Transfer list contains duplicate ${native.className(entry)}`);
    }
    this.#addHost(entry);
  }

  #addNested(object, source) {
    const list = typeof object[kTransferList] === 'function' ? object[kTransferList]() : undefined;
    if (list === undefined) return;
    for (let i = 0; i < list.length; i++) {
      if (!this.#references.has(list[i])) this.#addTransferredHost(list[i], source);
    }
  }

  #addHost(object) {
    const record = { read: readHost, object, make: undefined, info: undefined, data: undefined };
    ArrayPrototypePush(this.hosts, record);
    return this.#addRecord(object, record);
  }

  #addRecord(object, record) {
    const reference = new Reference(this.records.length);
    ArrayPrototypePush(this.records, record);
    this.#references.set(object, reference);
    return reference;
  }

  write(value) {
    if (typeof value === 'symbol') throw uncloneable(value);
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return value;
    return this.#references.get(value) ?? this.#writeObject(value);
  }

  #writeObject(object) {
    if (typeof object === 'function') throw uncloneable(object);
    const kind = native.kind(object);
    if (kind !== kinds.Proxy && isHost(object)) return this.#writeHost(object);
    switch (kind) {
      case kinds.Plain:
        if (object === globalThis) throw uncloneable(object);
        return this.#writeProperties(object, { read: readObject, keys: undefined, values: [] });
      case kinds.Array:
        return this.#writeProperties(object, { read: readArray, length: object.length, keys: undefined, values: [] });
      case kinds.Map:
      case kinds.Set: {
        const record = { read: kind === kinds.Map ? readMap : readSet, values: undefined };
        const reference = this.#addRecord(object, record);
        record.values = this.#writeAll(native.entries(object));
        return reference;
      }
      case kinds.Error: return this.#writeError(object);
      case kinds.TypedArray:
      case kinds.DataView: return this.#writeView(object, kind);
      case kinds.ArrayBuffer: return this.#writeBuffer(object);
      case kinds.SharedArrayBuffer: return this.#addRecord(object, { read: readShared, buffer: object });
      default: return this.#addRecord(object, { read: readConstructed, ...construction(object, kind) });
    }
  }

  #writeAll(values) {
    const written = [];
    for (let i = 0; i < values.length; i++) ArrayPrototypePush(written, this.write(values[i]));
    return written;
  }

  #writeProperties(object, record) {
    const reference = this.#addRecord(object, record);
    const keys = ObjectKeys(object);
    record.keys = [];
    for (let i = 0; i < keys.length; i++) {
      // A getter before it may have taken the property away.
      if (i > 0 && ObjectGetOwnPropertyDescriptor(object, keys[i]) === undefined) continue;
      ArrayPrototypePush(record.keys, keys[i]);
      ArrayPrototypePush(record.values, this.write(object[keys[i]]));
    }
    return reference;
  }

  #writeError(error) {
    const name = String(error.name);
    const message = ObjectGetOwnPropertyDescriptor(error, 'message');
    const cause = ObjectGetOwnPropertyDescriptor(error, 'cause');
    const { stack } = error;
    const record = {
      read: readError, name, hasCause: false, cause: undefined,
      message: message !== undefined && 'value' in message ? String(message.value) : undefined,
      stack: typeof stack === 'string' ? stack : undefined,
    };
    const reference = this.#addRecord(error, record);
    if (cause !== undefined && 'value' in cause) {
      record.hasCause = true;
      record.cause = this.write(cause.value);
    }
    return reference;
  }

  #writeView(view, kind) {
    const isTyped = kind === kinds.TypedArray;
    const buffer = this.write(isTyped ? TypedArrayPrototypeGetBuffer(view) : DataViewPrototypeGetBuffer(view));
    return this.#addRecord(view, {
      read: readView,
      name: isTyped ? TypedArrayPrototypeGetSymbolToStringTag(view) : 'DataView',
      buffer,
      offset: isTyped ? TypedArrayPrototypeGetByteOffset(view) : DataViewPrototypeGetByteOffset(view),
      length: isTyped ? TypedArrayPrototypeGetLength(view) : DataViewPrototypeGetByteLength(view),
    });
  }

  #writeBuffer(buffer) {
    if (ArrayBufferPrototypeGetDetached(buffer)) {
      throw dataCloneError('An ArrayBuffer is detached and could not be cloned.');
    }
    return this.#addRecord(buffer, { read: readTransferredBuffer, buffer: copyBuffer(buffer) });
  }

  #writeHost(object) {
    if (object[kCloneHandle] !== undefined) return this.#addHost(object);
    const mode = object[kTransferMode];
    if (mode === TRANSFERABLE || (mode === undefined && object[kTransferHandle] !== undefined)) {
      throw dataCloneError('Object that needs transfer was found in message but not listed in transferList');
    }
    if (!(mode & CLONEABLE)) throw dataCloneError('Cannot clone object of unsupported type.');
    return this.#addHost(object);
  }

  /** The point of no return: takes the transferred buffers away and asks the host objects for what they are. */
  finish() {
    for (let i = 0; i < this.#transferredBuffers.length; i++) {
      const record = this.#transferredBuffers[i];
      record.buffer = ArrayBufferPrototypeTransfer(record.buffer);
    }
    for (let i = 0; i < this.hosts.length; i++) this.#finishHost(this.hosts[i], i < this.#transferredHosts);
  }

  #finishHost(record, isTransferred) {
    const { object } = record;
    record.object = undefined;
    const makeHandle = isTransferred ? object[kTransferHandle] ?? object[kCloneHandle] : object[kCloneHandle];
    if (makeHandle !== undefined) {
      record.make = ReflectApply(makeHandle, object, []);
      return;
    }
    const method = isTransferred && typeof object[kTransfer] === 'function' ? object[kTransfer] : object[kClone];
    const { data, deserializeInfo } = ReflectApply(method, object, []);
    record.info = deserializeInfo;
    record.data = this.write(data);
  }
}

function isHost(object) {
  return object[kTransferMode] !== undefined || object[kCloneHandle] !== undefined || object[kTransferHandle] !== undefined;
}

function construction(object, kind) {
  switch (kind) {
    case kinds.Date: return { constructor: Date, values: [DatePrototypeGetTime(object)] };
    case kinds.RegExp: return { constructor: RegExp, values: [RegExpPrototypeGetSource(object), RegExpPrototypeGetFlags(object)] };
    case kinds.Number: return { constructor: Object, values: [NumberPrototypeValueOf(object)] };
    case kinds.String: return { constructor: Object, values: [StringPrototypeValueOf(object)] };
    case kinds.Boolean: return { constructor: Object, values: [BooleanPrototypeValueOf(object)] };
    case kinds.BigInt: return { constructor: Object, values: [BigIntPrototypeValueOf(object)] };
    default: throw uncloneable(object);
  }
}

function copyBuffer(buffer) {
  if (!ArrayBufferPrototypeGetResizable(buffer)) return ArrayBufferPrototypeSlice(buffer, 0);
  const copy = new ArrayBuffer(ArrayBufferPrototypeGetByteLength(buffer), {
    __proto__: null, maxByteLength: ArrayBufferPrototypeGetMaxByteLength(buffer),
  });
  TypedArrayPrototypeSet(new Uint8Array(copy), new Uint8Array(buffer));
  return copy;
}

// ---- Reading: `record.read(reader, record, made)` makes the object; `made` is told of it before it is filled --------

function readObject(reader, record, made) {
  return fill(reader, record, made({}));
}

function readArray(reader, record, made) {
  const array = made([]);
  array.length = record.length;
  return fill(reader, record, array);
}

function fill(reader, { keys, values }, object) {
  for (let i = 0; i < keys.length; i++) {
    ObjectDefineProperty(object, keys[i], {
      __proto__: null, value: reader.read(values[i]), writable: true, enumerable: true, configurable: true,
    });
  }
  return object;
}

function readMap(reader, { values }, made) {
  const map = made(new Map());
  for (let i = 0; i < values.length; i += 2) MapPrototypeSet(map, reader.read(values[i]), reader.read(values[i + 1]));
  return map;
}

function readSet(reader, { values }, made) {
  const set = made(new Set());
  for (let i = 0; i < values.length; i++) SetPrototypeAdd(set, reader.read(values[i]));
  return set;
}

function readError(reader, record, made) {
  const error = made(new (ERROR_CONSTRUCTORS[record.name] ?? Error)());
  const hidden = (key, value) => ObjectDefineProperty(error, key, {
    __proto__: null, value, writable: true, enumerable: false, configurable: true,
  });
  hidden('stack', record.stack);
  if (record.message !== undefined) hidden('message', record.message);
  if (record.hasCause) hidden('cause', reader.read(record.cause));
  return error;
}

function readView(reader, { name, buffer, offset, length }, made) {
  const Constructor = name === 'DataView' ? DataView : primordials[name] ?? globalThis[name];
  return made(new Constructor(reader.read(buffer), offset, length));
}

function readTransferredBuffer(reader, { buffer }, made) {
  return made(buffer);
}

function readShared(reader, { buffer }, made) {
  return made(buffer);
}

function readConstructed(reader, { constructor, values }, made) {
  return made(ReflectConstruct(constructor, values));
}

function readHost(reader, record, made) {
  if (record.make !== undefined) return made(record.make());
  const object = made(createFromInfo(record.info));
  ArrayPrototypePush(reader.unfinished, { object, data: record.data });
  return object;
}

class Reader {
  unfinished = [];
  #records;
  #objects = [];

  constructor(records) {
    this.#records = records;
  }

  read(value) {
    if (!(value instanceof Reference)) return value;
    const { index } = value;
    const made = (object) => this.#objects[index] = object;
    return this.#objects[index] ?? this.#records[index].read(this, this.#records[index], made);
  }

  finish() {
    for (let i = 0; i < this.unfinished.length; i++) {
      const { object, data } = this.unfinished[i];
      object[kDeserialize](this.read(data));
    }
  }
}

/** A message: what `deserialize` makes the value of, once. `source` is the port that the message is sent through. */
function serialize(value, transferList, source) {
  const writer = new Writer();
  writer.addTransfers(transferList, source);
  const root = writer.write(value);
  writer.finish();
  return { root, records: writer.records };
}

function deserialize({ root, records }) {
  const reader = new Reader(records);
  const value = reader.read(root);
  reader.finish();
  return value;
}

shared.structured = { serialize, deserialize, kCloneHandle, kTransferHandle };

binding.structuredClone = (value, { transfer }) => deserialize(serialize(value, transfer));
