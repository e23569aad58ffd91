// The stream classes of zlib: when a write happens, and how its end is told. Compression itself is native.
'use strict';

const { AsyncWrap, defer } = internalBinding('edge_loop');
const { Providers } = internalBinding('async_wrap');
const BROTLI_DECODER_PARAM_LARGE_WINDOW = 1;

class CompressionStream extends AsyncWrap {
  #stream;
  #state;
  #callback;
  #isWriting = false;
  #isClosing = false;

  constructor() {
    super(Providers.ZLIB);
  }

  _start(stream, state, callback, failure) {
    this.#stream = stream;
    this.#state = state;
    this.#callback = callback;
    this.#report(failure);
  }

  /** Tells of a failure. There is no way back from one. */
  #report(failure) {
    if (failure === undefined) return false;
    this.#isWriting = false;
    this.makeCallback('onerror', ...failure);
    if (this.#isClosing) this.close();
    return true;
  }

  #write(flush, input, inOffset, inLength, output, outOffset, outLength) {
    if (this.#stream === undefined) return undefined;
    return native.write(this.#stream, this.#state, flush, input, inOffset, inLength, output, outOffset, outLength);
  }

  writeSync(...write) {
    this.#report(this.#write(...write));
  }

  write(...write) {
    this.#isWriting = true;
    defer(() => {
      if (this.#report(this.#write(...write))) return;
      this.#isWriting = false;
      this.makeCallback(this.#callback);
      if (this.#isClosing) this.close();
    });
  }

  close() {
    if (this.#isWriting) {
      this.#isClosing = true;
      return;
    }
    this.#isClosing = false;
    this.#stream = undefined;
  }

  reset() {
    this.#report(native.reset(this.#stream));
  }

  params(level) {
    native.params(this.#stream, level);
  }
}

class Zlib extends CompressionStream {
  #mode;

  constructor(mode) {
    super();
    this.#mode = mode;
  }

  init(windowBits, level, memLevel, strategy, state, callback, dictionary, rejectsGarbage) {
    const { 0: stream, 1: failure } = native.create(
      this.#mode, windowBits, level, memLevel, strategy, dictionary, rejectsGarbage);
    this._start(stream, state, callback, failure);
  }
}

class BrotliDecoder extends CompressionStream {
  init(params, state, callback, dictionary) {
    if (dictionary !== undefined) {
      const error = new Error('not supported yet: zlib.BrotliDecoder with a dictionary');
      error.code = 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM';
      throw error;
    }
    const takesLargeWindows = params[BROTLI_DECODER_PARAM_LARGE_WINDOW] === 1;
    this._start(native.createBrotli(takesLargeWindows), state, callback, undefined);
  }
}

binding.Zlib = Zlib;
binding.BrotliDecoder = BrotliDecoder;
