// Blobs in memory: lists of byte ranges that nobody changes, shared by slices and clones.
'use strict';

const {
  ArrayBufferPrototypeSlice, ArrayPrototypePush, MathMax, MathMin, SafeMap, TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetByteLength, TypedArrayPrototypeGetByteOffset, TypedArrayPrototypeSet, TypedArrayPrototypeSubarray,
  Uint8Array,
} = primordials;
const { isAnyArrayBuffer } = internalBinding('types');
internalBinding('messaging');
const { kCloneHandle } = shared.structured;

const END = 0;
const CONTINUE = 1;

class Blob {
  parts;

  constructor(parts) {
    this.parts = parts;
  }

  getReader() {
    return new BlobReader(this.parts);
  }

  slice(start, end) {
    const parts = [];
    let position = 0;
    for (let i = 0; i < this.parts.length; i++) {
      const part = this.parts[i];
      const length = TypedArrayPrototypeGetByteLength(part);
      const from = MathMax(start - position, 0);
      const to = MathMin(end - position, length);
      if (from < to) ArrayPrototypePush(parts, TypedArrayPrototypeSubarray(part, from, to));
      position += length;
    }
    return new Blob(parts);
  }

  [kCloneHandle]() {
    return () => this;
  }
}

class BlobReader {
  #parts;
  #next = 0;

  constructor(parts) {
    this.#parts = parts;
  }

  /** Calls `callback(status, buffer)` with a copy of the next part. */
  pull(callback) {
    if (this.#next === this.#parts.length) {
      callback(END);
      return;
    }
    const part = this.#parts[this.#next++];
    const start = TypedArrayPrototypeGetByteOffset(part);
    const end = start + TypedArrayPrototypeGetByteLength(part);
    callback(CONTINUE, ArrayBufferPrototypeSlice(TypedArrayPrototypeGetBuffer(part), start, end));
  }

  // A blob in memory never makes its reader wait.
  setWakeup() {}
}

function bytesOf(source) {
  if (isAnyArrayBuffer(source)) return new Uint8Array(source);
  return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
}

binding.createBlob = (sources) => {
  const parts = [];
  for (let i = 0; i < sources.length; i++) {
    const source = sources[i];
    if (source instanceof Blob) ArrayPrototypePush(parts, ...source.parts);
    else if (source.byteLength > 0) ArrayPrototypePush(parts, bytesOf(source));
  }
  return new Blob(parts);
};

binding.concat = (sources) => {
  let length = 0;
  for (let i = 0; i < sources.length; i++) length += sources[i].byteLength;
  const whole = new Uint8Array(length);
  let position = 0;
  for (let i = 0; i < sources.length; i++) {
    TypedArrayPrototypeSet(whole, bytesOf(sources[i]), position);
    position += sources[i].byteLength;
  }
  return TypedArrayPrototypeGetBuffer(whole);
};

// ---- Object URLs: `blob:nodedata:<id>` ---------------------------------------------------------------------------

const stored = new SafeMap();

binding.storeDataObject = (id, handle, length, type) => {
  stored.set(id, [handle, length, type]);
};
binding.getDataObject = (id) => stored.get(id);
binding.revokeObjectURL = (url) => {
  const { protocol, pathname } = shared.require('internal/url').URL.parse(url) ?? { __proto__: null };
  const prefix = 'nodedata:';
  if (protocol === 'blob:' && pathname.startsWith(prefix)) stored.delete(pathname.slice(prefix.length));
};
