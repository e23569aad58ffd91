'use strict';
// What all stream handles share: reads delivered through `onread`, writes tried at once and queued for what is left.
const { ArrayPrototypePush, ArrayPrototypeShift, Int32Array, SafeSet, TypedArrayPrototypeSubarray, Uint8Array } = primordials;
const { HandleWrap, ReqWrap, defer, onClosing, setRef, unwatch, watch } = internalBinding('edge_loop');
const { Providers } = internalBinding('async_wrap');
const { UV_EAGAIN, UV_EBADF, UV_ECANCELED, UV_EINVAL, UV_EMFILE, UV_ENFILE, UV_ENOTCONN } = internalBinding('uv');
const { kReadBytesOrError, kArrayBufferOffset, kBytesWritten, kLastWriteWasAsync } = binding;

const READABLE = 1;
const WRITABLE = 2;
const HANGUP = 4;
// As libuv: other streams get their turn after so many full reads.
const READS_MAX = 32;
const FULL_READ = 64 * 1024;
const ACCEPT_AGAIN_MS = 50;

const state = new Int32Array(5);
// Streams that are open.
const open = new SafeSet();
shared.openStreams = open;

class ShutdownWrap extends ReqWrap {
  constructor() {
    super(Providers.SHUTDOWNWRAP);
  }
}

class WriteWrap extends ReqWrap {
  constructor() {
    super(Providers.WRITEWRAP);
  }
}

function completeLater(req, status) {
  req.makeCallback('oncomplete', status);
}

class LibuvStreamWrap extends HandleWrap {
  #fd = -1;
  #interest = 0;
  #reading = false;
  #userBuffer;
  #writes = [];
  #queued = 0;
  #shutdown;
  #connect;
  #listening = false;
  #onReady = (flags) => this.#ready(flags);

  reading = false;
  bytesRead = 0;
  bytesWritten = 0;

  get isStreamBase() {
    return true;
  }

  get fd() {
    return this.#fd;
  }

  get writeQueueSize() {
    return this.#queued;
  }

  // ---- For the kinds of streams ----------------------------------------------------------------------------------

  /** Takes a host handle as its own. */
  _adopt(fd) {
    this.#fd = fd;
    open.add(this);
  }

  /** Waits for a connect that is under way, or reports one that has ended already. */
  _connecting(req, status) {
    if (status !== undefined) {
      this.#connect = { req, status };
      defer(() => this.#connected(status));
      return;
    }
    this.#connect = { req };
    this.#update();
  }

  /** Calls `_accept` whenever a connection waits. */
  _listening() {
    this.#listening = true;
    return this.#update();
  }

  /** Lets connections wait for a while: there are no more handles for them now. */
  _acceptLater() {
    this.#listening = false;
    this.#update();
    const timer = shared.require('timers').setTimeout(() => {
      if (this.#fd >= 0) this._listening();
    }, ACCEPT_AGAIN_MS);
    if (!this.hasRef()) timer.unref();
  }

  /** Whether that is why a connection could not be taken. */
  _isOutOfHandles(status) {
    return status === UV_EMFILE || status === UV_ENFILE;
  }

  _accept() {}

  // ---- Readiness -------------------------------------------------------------------------------------------------

  #update() {
    const fd = this.#fd;
    if (fd < 0) return UV_EBADF;
    const connecting = this.#connect !== undefined && this.#connect.status === undefined;
    const interest = (this.#reading || this.#listening ? READABLE : 0) |
      (connecting || this.#writes.length > 0 ? WRITABLE : 0);
    if (interest === this.#interest) return 0;
    this.#interest = interest;
    if (interest === 0) {
      unwatch(fd);
      return 0;
    }
    const status = watch(fd, interest, this.#onReady);
    if (!this.hasRef()) setRef(fd, false);
    return status;
  }

  #ready(flags) {
    if (this.#connect !== undefined) {
      if (this.#connect.status !== undefined) return;
      const status = this._connectStatus();
      if (status !== undefined) this.#connected(status);
      return;
    }
    if (this.#listening) {
      this._accept();
      return;
    }
    if ((flags & (READABLE | HANGUP)) !== 0 && this.#reading) this.#readAll();
    if ((flags & (WRITABLE | HANGUP)) !== 0 && this.#fd >= 0 && this.#writes.length > 0) this.#flush();
    if (this.#fd >= 0) this.#update();
  }

  #connected(status) {
    const connect = this.#connect;
    if (connect === undefined) return;
    this.#connect = undefined;
    if (this.#fd >= 0) this.#update();
    connect.req.makeCallback('oncomplete', status, this, connect.req, true, true);
  }

  // ---- Reading ---------------------------------------------------------------------------------------------------

  readStart() {
    if (this.#fd < 0) return UV_EINVAL;
    this.#reading = true;
    return this.#update();
  }

  readStop() {
    this.#reading = false;
    if (this.#fd >= 0) this.#update();
    return 0;
  }

  useUserBuffer(buffer) {
    this.#userBuffer = buffer;
  }

  #readAll() {
    for (let left = READS_MAX; left > 0 && this.#reading && this.#fd >= 0; left--) {
      const count = this.#userBuffer === undefined ? this.#readChunk() : this.#readIntoUserBuffer();
      if (count < FULL_READ) return;
    }
  }

  #readChunk() {
    const chunk = native.read(this.#fd);
    if (typeof chunk === 'number') return this.#failRead(chunk);
    const count = chunk.byteLength;
    this.bytesRead += count;
    state[kReadBytesOrError] = count;
    state[kArrayBufferOffset] = 0;
    this.makeCallback(this.onread, chunk);
    return count;
  }

  #readIntoUserBuffer() {
    const count = native.readInto(this.#fd, this.#userBuffer);
    if (count < 0) return this.#failRead(count);
    this.bytesRead += count;
    state[kReadBytesOrError] = count;
    state[kArrayBufferOffset] = 0;
    const next = this.makeCallback(this.onread);
    if (next !== undefined) this.#userBuffer = next;
    return count;
  }

  #failRead(status) {
    if (status === UV_EAGAIN) return 0;
    this.#reading = false;
    this.#update();
    state[kReadBytesOrError] = status;
    state[kArrayBufferOffset] = 0;
    this.makeCallback(this.onread);
    return 0;
  }

  // ---- Writing ---------------------------------------------------------------------------------------------------

  // The handle to write to, or -1 where what is queued goes first.
  #writable() {
    return this.#writes.length === 0 && this.#connect === undefined ? this.#fd : -1;
  }

  // What came of a write: done, failed, or queued with the bytes that `rest` gives.
  #written(req, result, rest) {
    const written = result === UV_EAGAIN ? 0 : result;
    const total = state[kBytesWritten];
    if (this.#fd < 0) return UV_EBADF;
    this.bytesWritten += total;
    state[kLastWriteWasAsync] = 0;
    if (written < 0) return written;
    if (written === total && this.#writes.length === 0) return 0;
    const bytes = TypedArrayPrototypeSubarray(rest(), written);
    ArrayPrototypePush(this.#writes, { req, bytes });
    this.#queued += bytes.byteLength;
    state[kLastWriteWasAsync] = 1;
    this.#update();
    return 0;
  }

  writeBuffer(req, view) {
    const result = native.writeBytes(this.#writable(), state, view);
    return this.#written(req, result, () => new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  }

  #writeString(req, string, encoding) {
    const result = native.writeText(this.#writable(), state, string, encoding);
    return this.#written(req, result, () => new Uint8Array(native.encode(string, encoding)));
  }

  writeUtf8String(req, string) {
    return this.#writeString(req, string, 'utf8');
  }

  writeLatin1String(req, string) {
    return this.#writeString(req, string, 'latin1');
  }

  writeAsciiString(req, string) {
    return this.#writeString(req, string, 'latin1');
  }

  writeUcs2String(req, string) {
    return this.#writeString(req, string, 'ucs2');
  }

  writev(req, chunks, allBuffers) {
    const views = allBuffers ? chunks : viewsOfOtherEncodings(chunks);
    const result = native.writeAll(this.#writable(), state, views, allBuffers);
    return this.#written(req, result, () => new Uint8Array(native.encodeAll(views, allBuffers)));
  }

  #flush() {
    while (this.#writes.length > 0) {
      const write = this.#writes[0];
      let status = native.writeBytes(this.#fd, undefined, write.bytes);
      if (status === UV_EAGAIN) return;
      if (status >= 0) {
        this.#queued -= status;
        if (status < write.bytes.byteLength) {
          write.bytes = TypedArrayPrototypeSubarray(write.bytes, status);
          return;
        }
        status = 0;
      } else {
        this.#queued -= write.bytes.byteLength;
      }
      ArrayPrototypeShift(this.#writes);
      write.req.makeCallback('oncomplete', status, this, undefined);
      if (this.#fd < 0) return;
    }
    if (this.#shutdown !== undefined) this.#shutDown();
  }

  shutdown(req) {
    if (this.#fd < 0 || this.#connect !== undefined) return UV_ENOTCONN;
    this.#shutdown = req;
    if (this.#writes.length === 0) this.#shutDown();
    return 0;
  }

  #shutDown() {
    const req = this.#shutdown;
    this.#shutdown = undefined;
    defer(completeLater, req, native.shutdown(this.#fd));
  }

  /** Standard streams are written in full at once; sockets never wait. */
  setBlocking() {
    return 0;
  }

  // ---- The end ---------------------------------------------------------------------------------------------------

  _close() {
    const fd = this.#fd;
    open.delete(this);
    if (fd >= 0) {
      if (this.#interest !== 0) unwatch(fd);
      native.close(fd);
    }
    this.#fd = -1;
    this.#interest = 0;
    this.#reading = false;
    const connect = this.#connect;
    const writes = this.#writes;
    const shutdown = this.#shutdown;
    this.#connect = undefined;
    this.#writes = [];
    this.#queued = 0;
    this.#shutdown = undefined;
    if (connect !== undefined) onClosing(() => connect.req.makeCallback('oncomplete', UV_ECANCELED, this, connect.req, false, false));
    for (let i = 0; i < writes.length; i++) {
      onClosing(() => writes[i].req.makeCallback('oncomplete', UV_ECANCELED, this, undefined));
    }
    if (shutdown !== undefined) onClosing(() => completeLater(shutdown, UV_ECANCELED));
  }

  _setRef(wanted) {
    if (this.#interest !== 0) setRef(this.#fd, wanted);
  }
}

const streamEncodings = { __proto__: null, utf8: 1, 'utf-8': 1, latin1: 1, binary: 1, ascii: 1, ucs2: 1, 'ucs-2': 1,
                          utf16le: 1, 'utf-16le': 1, buffer: 1 };

// Chunks in the encodings that only buffers know become buffers.
function viewsOfOtherEncodings(chunks) {
  const result = [];
  for (let i = 0; i < chunks.length; i += 2) {
    const known = typeof chunks[i] !== 'string' || streamEncodings[chunks[i + 1]] === 1;
    ArrayPrototypePush(result, known ? chunks[i] : globalThis.Buffer.from(chunks[i], chunks[i + 1]));
    ArrayPrototypePush(result, chunks[i + 1]);
  }
  return result;
}

binding.ShutdownWrap = ShutdownWrap;
binding.WriteWrap = WriteWrap;
binding.LibuvStreamWrap = LibuvStreamWrap;
binding.streamBaseState = state;
