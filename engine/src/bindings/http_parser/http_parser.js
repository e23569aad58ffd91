// The classes of http_parser. Parsing is native; here are the links to buffers, streams and the async context.
'use strict';

const { AsyncWrap } = internalBinding('edge_loop');
const { Providers } = internalBinding('async_wrap');
const kOnExecute = 5;
const REQUEST = 1;
const MAX_HEADER_SIZE_DEFAULT = 16 * 1024;

let Buffer;
function makeBuffer(memory) {
  Buffer ??= shared.require('buffer').Buffer;
  return Reflect.construct(Uint8Array, [memory], Buffer);
}

/** Calls a callback of the parser. Its one ArrayBuffer argument is a body, which callbacks get as a Buffer. */
function enter(parser, callback, ...args) {
  if (args.length === 1) args[0] = makeBuffer(args[0]);
  return parser.callInside(callback, ...args);
}

let connectionOf;
let addToList;
let removeFromList;

class HTTPParser extends AsyncWrap {
  #connection = native.create();
  #list = undefined;
  #current = undefined;
  #stream = undefined;
  #outerOnRead = undefined;

  static {
    connectionOf = (parser) => parser.#connection;
  }

  initialize(type, resource, maxHeaderSize = 0, lenientFlags = 0, list = undefined) {
    this.resetAs(type === REQUEST ? Providers.HTTPINCOMINGMESSAGE : Providers.HTTPCLIENTREQUEST, resource);
    const limit = maxHeaderSize || shared.options?.['--max-http-header-size'] || MAX_HEADER_SIZE_DEFAULT;
    this.#list = list ?? undefined;
    native.initialize(this.#connection, type, limit, lenientFlags, this.#list !== undefined);
    if (this.#list !== undefined) addToList(this.#list, this);
  }

  execute(buffer) {
    this.#current = buffer;
    try {
      return native.execute(this.#connection, this, enter, buffer);
    } finally {
      this.#current = undefined;
    }
  }

  finish() {
    return native.finish(this.#connection, this, enter);
  }

  pause() {
    native.pause(this.#connection);
  }

  resume() {
    native.resume(this.#connection);
  }

  remove() {
    native.remove(this.#connection);
    if (this.#list !== undefined) removeFromList(this.#list, this);
  }

  free() {
    this.emitDestroy();
  }

  close() {
    this.remove();
    this.emitDestroy();
  }

  getCurrentBuffer() {
    return makeBuffer(this.#current === undefined ? new ArrayBuffer(0) : new Uint8Array(this.#current).buffer);
  }

  // The parser stands between the stream and its owner: what is read is parsed and told to kOnExecute.
  consume(stream) {
    this.#stream = stream;
    this.#outerOnRead = stream.onread;
    const parser = this;
    const { kReadBytesOrError, streamBaseState } = internalBinding('stream_wrap');
    stream.onread = function onread(memory) {
      const count = streamBaseState[kReadBytesOrError];
      if (count < 0) {
        const outer = parser.#outerOnRead;
        parser.unconsume();
        return Reflect.apply(outer, this, arguments);
      }
      if (count > 0) parser.#read(new Uint8Array(memory, 0, count));
    };
  }

  unconsume() {
    if (this.#stream === undefined) return;
    this.#stream.onread = this.#outerOnRead;
    this.#stream = undefined;
    this.#outerOnRead = undefined;
  }

  #read(bytes) {
    const result = this.execute(bytes);
    const callback = this[kOnExecute];
    if (typeof callback !== 'function') return;
    this.#current = bytes;
    try {
      this.makeCallback(callback, result);
    } finally {
      this.#current = undefined;
    }
  }
}

Object.assign(HTTPParser, {
  REQUEST, RESPONSE: 2,
  kOnMessageBegin: 0, kOnHeaders: 1, kOnHeadersComplete: 2, kOnBody: 3, kOnMessageComplete: 4, kOnExecute, kOnTimeout: 6,
  kLenientNone: 0, kLenientHeaders: 1, kLenientChunkedLength: 2, kLenientKeepAlive: 4, kLenientTransferEncoding: 8,
  kLenientVersion: 16, kLenientDataAfterClose: 32, kLenientOptionalLFAfterCR: 64, kLenientOptionalCRLFAfterChunk: 128,
  kLenientOptionalCRBeforeLF: 256, kLenientSpacesAfterChunkSize: 512, kLenientHeaderValueRelaxed: 1024, kLenientAll: 1023,
});

class ConnectionsList {
  #parsers = new Set();

  static {
    addToList = (list, parser) => list.#parsers.add(parser);
    removeFromList = (list, parser) => list.#parsers.delete(parser);
  }

  /** Idle ones first, then the others by the time at which their message began. */
  #sorted(isMeant) {
    const parsers = [];
    for (const parser of this.#parsers) {
      if (isMeant(connectionOf(parser))) parsers.push(parser);
    }
    return parsers.sort((a, b) => native.started(connectionOf(a)) - native.started(connectionOf(b)));
  }

  all() {
    return this.#sorted(native.isListed);
  }

  idle() {
    return this.#sorted((connection) => native.isListed(connection) && native.started(connection) === 0);
  }

  active() {
    return this.#sorted(native.isActive);
  }

  expired(headersTimeout, requestTimeout) {
    if (requestTimeout > 0 && headersTimeout > requestTimeout) {
      [headersTimeout, requestTimeout] = [requestTimeout, headersTimeout];
    }
    return this.active().filter((parser) => native.expire(connectionOf(parser), headersTimeout, requestTimeout));
  }
}

binding.HTTPParser = HTTPParser;
binding.ConnectionsList = ConnectionsList;
