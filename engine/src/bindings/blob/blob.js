// Blobs: lists of byte ranges that nobody changes, shared by slices and clones; and ranges of files.
'use strict';

const {
  ArrayBufferPrototypeSlice, ArrayPrototypePush, MathMax, MathMin, SafeMap, TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetByteLength, TypedArrayPrototypeGetByteOffset, TypedArrayPrototypeSet, TypedArrayPrototypeSubarray,
  Uint8Array,
} = primordials;
const { isAnyArrayBuffer } = internalBinding('types');
internalBinding('messaging');
const { kCloneHandle } = shared.structured;

const FAILED = -1;
const END = 0;
const CONTINUE = 1;
const FILE_CHUNK_BYTES = 65536;

/** Bytes in memory. */
class MemoryPart {
  #bytes;

  constructor(bytes) {
    this.#bytes = bytes;
  }

  get length() {
    return TypedArrayPrototypeGetByteLength(this.#bytes);
  }

  slice(start, end) {
    return new MemoryPart(TypedArrayPrototypeSubarray(this.#bytes, start, end));
  }

  /** A copy of the bytes from `offset`. */
  read(offset) {
    const start = TypedArrayPrototypeGetByteOffset(this.#bytes);
    return ArrayBufferPrototypeSlice(TypedArrayPrototypeGetBuffer(this.#bytes), start + offset, start + this.length);
  }
}

/** A range of a file, read when it is asked for. Reading fails once the file has changed. */
class FilePart {
  #path;
  #version;
  #start;

  constructor(path, version, start, end) {
    this.#path = path;
    this.#version = version;
    this.#start = start;
    this.length = end - start;
  }

  slice(start, end) {
    return new FilePart(this.#path, this.#version, this.#start + start, this.#start + end);
  }

  read(offset) {
    const fs = shared.require('fs');
    const descriptor = fs.openSync(this.#path);
    try {
      if (versionOf(fs.fstatSync(descriptor, { bigint: true })) !== this.#version) throw new primordials.Error('The file has changed');
      const bytes = new Uint8Array(MathMin(FILE_CHUNK_BYTES, this.length - offset));
      const count = fs.readSync(descriptor, bytes, 0, bytes.length, this.#start + offset);
      if (count === 0) throw new primordials.Error('The file has changed');
      return ArrayBufferPrototypeSlice(TypedArrayPrototypeGetBuffer(bytes), 0, count);
    } finally {
      fs.closeSync(descriptor);
    }
  }
}

function versionOf({ size, mtimeNs }) {
  return `${size} ${mtimeNs}`;
}

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
      const from = MathMax(start - position, 0);
      const to = MathMin(end - position, part.length);
      if (from < to) ArrayPrototypePush(parts, part.slice(from, to));
      position += part.length;
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
  #offset = 0;

  constructor(parts) {
    this.#parts = parts;
  }

  /** Calls `callback(status, buffer)` with a copy of the next bytes. */
  pull(callback) {
    if (this.#next === this.#parts.length) {
      callback(END);
      return;
    }
    const part = this.#parts[this.#next];
    let buffer;
    try {
      buffer = part.read(this.#offset);
    } catch {
      callback(FAILED);
      return;
    }
    this.#offset += buffer.byteLength;
    if (this.#offset === part.length) {
      this.#next++;
      this.#offset = 0;
    }
    callback(CONTINUE, buffer);
  }

  // Neither memory nor a file makes its reader wait.
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
    else if (source.byteLength > 0) ArrayPrototypePush(parts, new MemoryPart(bytesOf(source)));
  }
  return new Blob(parts);
};

/** `[blob, length]`, undefined if there is no such file. */
binding.createBlobFromFilePath = (path) => {
  let stats;
  try {
    stats = shared.require('fs').statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
  const length = primordials.Number(stats.size);
  return [new Blob(length > 0 ? [new FilePart(path, versionOf(stats), 0, length)] : []), length];
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
