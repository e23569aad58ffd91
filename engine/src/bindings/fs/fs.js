'use strict';
// Requests and promises of the file system: the work is done at once, its outcome delivered in a later loop turn.
const {
  BigInt64Array,
  Error,
  Float64Array,
  
  ObjectDefineProperty,
  Promise,
  RangeError,
  SafeSet,
  StringPrototypeReplace,
  Symbol,
  TypeError,
  globalThis,
} = primordials;
const { AsyncWrap, HandleWrap, ReqWrap, defer } = internalBinding('edge_loop');
const { Providers } = internalBinding('async_wrap');

const STAT_FIELDS = 18;
const STATFS_FIELDS = 8;
const kUsePromises = Symbol('fs_use_promises_symbol');

// Two stats: a watcher compares.
const statValues = new Float64Array(2 * STAT_FIELDS);
const bigintStatValues = new BigInt64Array(2 * STAT_FIELDS);
const statFsValues = new Float64Array(STATFS_FIELDS);
const bigintStatFsValues = new BigInt64Array(STATFS_FIELDS);

class FSReqCallback extends ReqWrap {
  constructor(bigint) {
    super(Providers.FSREQCALLBACK);
  }
}

class FSReqPromise extends ReqWrap {
  constructor() {
    super(Providers.FSREQPROMISE);
  }
}

let Buffer;

// Names in other encodings than UTF-8 come as bytes.
function named(bytes, encoding) {
  Buffer ??= globalThis.Buffer;
  const buffer = Buffer.from(bytes);
  return encoding === 'buffer' ? buffer : buffer.toString(encoding);
}

function isRaw(encoding) {
  return encoding !== undefined && encoding !== null && encoding !== 'utf8' && encoding !== 'utf-8';
}

// ---- Delivery ----------------------------------------------------------------------------------------------------

// Requests under way, for those who ask what keeps the program running.
const pending = new SafeSet();

function deliver(req, error, value) {
  pending.delete(req);
  if (error !== undefined) req.makeCallback('oncomplete', error);
  else if (value === undefined) req.makeCallback('oncomplete', null);
  else req.makeCallback('oncomplete', null, value);
}

function deliverPromise(req, settle, outcome) {
  req.makeCallback(settle, outcome);
}

// An error that reaches a callback has no frames: nothing of the app is on the stack then.
function withoutFrames(error) {
  ObjectDefineProperty(error, 'stack', {
    __proto__: null, value: `${error.name}: ${error.message}`, writable: true, enumerable: false, configurable: true,
  });
  return error;
}

function outcomeOf(req, error, value) {
  if (req !== kUsePromises) {
    pending.add(req);
    defer(deliver, req, error, value);
    return undefined;
  }
  const request = new FSReqPromise();
  return new Promise((resolve, reject) => {
    if (error !== undefined) defer(deliverPromise, request, reject, error);
    else defer(deliverPromise, request, resolve, value);
  });
}

function later(req, run, a, b, c, d, e) {
  let error;
  let value;
  try {
    value = run(a, b, c, d, e);
  } catch (caught) {
    // A wrong argument is told at once.
    if (caught instanceof TypeError || caught instanceof RangeError) throw caught;
    error = withoutFrames(caught);
  }
  return outcomeOf(req, error, value);
}

// Listing a directory is how one is opened here; the error says what was asked for.
function scandirAsOpendir(error) {
  if (error.syscall !== 'scandir') return error;
  error.syscall = 'opendir';
  error.message = StringPrototypeReplace(error.message, ', scandir', ', opendir');
  return error;
}

shared.fileRequests = { __proto__: null, later, pending, scandirAsOpendir };

// The request is the argument at `index`; without one the function is synchronous.
const withRequest = [
  undefined,
  (run) => (a, req) => (req === undefined ? run(a) : later(req, run, a)),
  (run) => (a, b, req) => (req === undefined ? run(a, b) : later(req, run, a, b)),
  (run) => (a, b, c, req) => (req === undefined ? run(a, b, c) : later(req, run, a, b, c)),
  undefined,
  (run) => (a, b, c, d, e, req) => (req === undefined ? run(a, b, c, d, e) : later(req, run, a, b, c, d, e)),
];

const requestIndexes = {
  __proto__: null,
  access: 2, chmod: 2, chown: 3, close: 1, copyFile: 3, fchmod: 2, fchown: 3, fdatasync: 1, fsync: 1, ftruncate: 2,
  futimes: 3, lchown: 3, link: 2, lutimes: 3, mkdir: 3, open: 3, read: 5, readBuffers: 3, rename: 2, rmdir: 1,
  symlink: 3, unlink: 1, utimes: 3, writeBuffers: 3,
};
for (const name in requestIndexes) binding[name] = withRequest[requestIndexes[name]](native[name]);

// ---- Stats -------------------------------------------------------------------------------------------------------

function statArray(run, path, bigint, shouldThrow) {
  const array = bigint ? new BigInt64Array(STAT_FIELDS) : new Float64Array(STAT_FIELDS);
  return run(path, array, bigint, shouldThrow) ? array : undefined;
}

function statFunction(run) {
  return (path, bigint, req, shouldThrow) => {
    if (req !== undefined) return later(req, statArray, run, path, bigint, shouldThrow);
    const array = bigint ? bigintStatValues : statValues;
    return run(path, array, bigint, shouldThrow) ? array : undefined;
  };
}

binding.stat = statFunction(native.stat);
binding.lstat = statFunction(native.lstat);
binding.fstat = (fd, bigint, req, shouldNotThrow) => {
  if (req !== undefined) return later(req, statArray, native.fstat, fd, bigint);
  const array = bigint ? bigintStatValues : statValues;
  return native.fstat(fd, array, bigint) ? array : undefined;
};

function statFsArray(path, array, bigint) {
  native.statfs(path, array, bigint);
  return array;
}

binding.statfs = (path, bigint, req) => {
  if (req === undefined) return statFsArray(path, bigint ? bigintStatFsValues : statFsValues, bigint);
  const array = bigint ? new BigInt64Array(STATFS_FIELDS) : new Float64Array(STATFS_FIELDS);
  return later(req, statFsArray, path, array, bigint);
};

// ---- Names -------------------------------------------------------------------------------------------------------

function nameFunction(run) {
  const work = (path, encoding) => (isRaw(encoding) ? named(run(path, true), encoding) : run(path, false));
  return withRequest[2](work);
}

binding.readlink = nameFunction(native.readlink);
binding.realpath = nameFunction(native.realpath);
binding.mkdtemp = nameFunction(native.mkdtemp);

function readdir(path, encoding, withFileTypes) {
  if (!isRaw(encoding)) return native.readdir(path, withFileTypes, false);
  const result = native.readdir(path, withFileTypes, true);
  const names = withFileTypes ? result[0] : result;
  for (let i = 0; i < names.length; i++) names[i] = named(names[i], encoding);
  return result;
}

binding.readdir = withRequest[3](readdir);

// ---- Writes ------------------------------------------------------------------------------------------------------

// `ctx` takes the error of a synchronous write; Node's library throws it.
function intoContext(ctx, run, a, b, c, d, e) {
  try {
    return run(a, b, c, d, e);
  } catch (error) {
    if (ctx === undefined || error?.errno === undefined) throw error;
    ctx.errno = error.errno;
    ctx.syscall = error.syscall;
    return error.errno;
  }
}

binding.writeBuffer = (fd, buffer, offset, length, position, req, ctx) =>
  (req === undefined ?
    intoContext(ctx, native.writeBuffer, fd, buffer, offset, length, position) :
    later(req, native.writeBuffer, fd, buffer, offset, length, position));

function writeString(fd, string, position, encoding) {
  if (!isRaw(encoding)) return native.writeUtf8(fd, string, position);
  Buffer ??= globalThis.Buffer;
  const bytes = Buffer.from(string, encoding);
  return native.writeBuffer(fd, bytes, 0, bytes.byteLength, position);
}

binding.writeString = (fd, string, position, encoding, req, ctx) =>
  (req === undefined ?
    intoContext(ctx, writeString, fd, string, position, encoding) :
    later(req, writeString, fd, string, position, encoding));

// ---- File handles ------------------------------------------------------------------------------------------------

class FileHandle extends AsyncWrap {
  #fd;
  #closing;

  constructor(fd) {
    super(Providers.FILEHANDLE);
    this.#fd = fd;
  }

  get fd() {
    return this.#fd;
  }

  releaseFD() {
    const fd = this.#fd;
    this.#fd = -1;
    return fd;
  }

  close() {
    return (this.#closing ??= later(kUsePromises, native.close, this.releaseFD()));
  }

  closeSync() {
    native.close(this.releaseFD());
  }
}

binding.openFileHandle = withRequest[3]((path, flags, mode) => new FileHandle(native.open(path, flags, mode)));

// ---- Modules -----------------------------------------------------------------------------------------------------

binding.legacyMainResolve = function legacyMainResolve(directory, main, base) {
  const found = native.legacyMain(directory, main);
  if (found >= 0) return found;
  const file = `${directory}${typeof main === 'string' ? main : 'index.js'}`;
  const from = base === undefined ? '' : ` imported from ${native.pathOfUrl(base)}`;
  const error = new Error(`Cannot find package '${file}'${from}`);
  error.code = 'ERR_MODULE_NOT_FOUND';
  throw error;
};

// ---- Watching by asking again -------------------------------------------------------------------------------------

const ENTRY_IS_GONE = -1;

class StatWatcher extends HandleWrap {
  #bigint;
  #path;
  #timer;
  #status;
  #stats;

  constructor(bigint) {
    super(Providers.STATWATCHER);
    this.#bigint = bigint;
  }

  // The stat, zeros where there is none, and whether there is one.
  #ask() {
    const stats = this.#bigint ? new BigInt64Array(STAT_FIELDS) : new Float64Array(STAT_FIELDS);
    try {
      native.stat(this.#path, stats, this.#bigint);
      return [0, stats];
    } catch (error) {
      return [error.errno ?? ENTRY_IS_GONE, stats];
    }
  }

  #compare() {
    const [status, stats] = this.#ask();
    const old = this.#stats;
    let differs = status !== this.#status;
    // All but the time of the last access.
    for (let i = 0; i < STAT_FIELDS && !differs; i++) differs = i !== 10 && i !== 11 && stats[i] !== old[i];
    if (!differs) return;
    this.#status = status;
    this.#stats = stats;
    const both = this.#bigint ? bigintStatValues : statValues;
    for (let i = 0; i < STAT_FIELDS; i++) {
      both[i] = stats[i];
      both[STAT_FIELDS + i] = old[i];
    }
    this.makeCallback(this.onchange, status, both);
  }

  // As libuv, the first answer is told only if there is nothing at the path.
  #first() {
    [this.#status, this.#stats] = this.#ask();
    if (this.#status === 0) return;
    const both = this.#bigint ? bigintStatValues : statValues;
    both.fill(this.#bigint ? 0n : 0);
    this.makeCallback(this.onchange, this.#status, both);
  }

  start(path, interval) {
    this.#path = path;
    const { setInterval } = shared.require('timers');
    defer(() => {
      if (this.#path === undefined) return;
      this.#first();
      if (this.#path === undefined) return;
      this.#timer = setInterval(() => this.#compare(), interval);
      if (!this.hasRef()) this.#timer.unref();
    });
    return 0;
  }

  _close() {
    this.#path = undefined;
    if (this.#timer !== undefined) shared.require('timers').clearInterval(this.#timer);
  }

  _setRef(wanted) {
    if (wanted) this.#timer?.ref();
    else this.#timer?.unref();
  }
}

binding.kFsStatsFieldsNumber = STAT_FIELDS;
binding.kUsePromises = kUsePromises;
binding.statValues = statValues;
binding.bigintStatValues = bigintStatValues;
binding.statFsValues = statFsValues;
binding.bigintStatFsValues = bigintStatFsValues;
binding.FSReqCallback = FSReqCallback;
binding.FileHandle = FileHandle;
binding.StatWatcher = StatWatcher;
