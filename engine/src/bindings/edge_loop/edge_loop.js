// The event loop in libuv's order of phases, the callback scope that runs ticks and microtasks, and the base classes
// of handles and requests. Node's C++ and libuv do this for node.
'use strict';

const asyncWrap = internalBinding('async_wrap');
const { async_hook_fields: hookFields, async_id_fields: idFields, constants: async } = asyncWrap;
const { getContinuationPreservedEmbedderData: getFrame, setContinuationPreservedEmbedderData: setFrame } =
  internalBinding('async_context_frame');
const taskQueue = internalBinding('task_queue');
const { tickInfo } = taskQueue;
const { immediateInfo, timeoutInfo } = internalBinding('timers');
const { handle_onclose: kOnClose, owner_symbol: kOwner } = internalBinding('symbols');
const { exitCodes } = internalBinding('errors');
const kHasTickScheduled = 0;
const kHasRejectionToWarn = 1;
const kImmediateCount = 0;
const kImmediateRefCount = 1;
const kImmediateOutstanding = 2;
const NANOSECONDS_PER_MILLISECOND = 1e6;
const EVENTS_MAX = 256;
const READABLE = 1;
const WRITABLE = 2;
const HANGUP = 4;
const RESOLVED = 8;
const SIGNAL = 16;

const events = new Uint32Array(2 * EVENTS_MAX);
const watchers = new Map();
const resolutions = new Map();
const signals = new Map();
let deferred = [];
let closing = [];
let referenced = 0;
let origin = 0;
let now = 0;
let timerDue = -1;
let timerReferenced = false;
let depth = 0;

// ---- The callback scope ------------------------------------------------------------------------------------------

/** Runs microtasks and, where there are any, ticks: what has to happen when no JavaScript is left on the stack. */
function drain() {
  if (tickInfo[kHasTickScheduled] === 0) taskQueue.runMicrotasks();
  if (tickInfo[kHasTickScheduled] === 0 && tickInfo[kHasRejectionToWarn] === 0) return;
  try {
    binding.tickCallback();
  } catch (error) {
    binding.uncaught(error, false);
  }
}

/** Calls `callback` as the entry from the loop into JavaScript, in the async context of a resource. */
function enter(asyncId, triggerAsyncId, frame, resource, receiver, callback, args) {
  const outerFrame = getFrame();
  setFrame(frame);
  asyncWrap.push(asyncId, triggerAsyncId, resource);
  depth++;
  let result;
  try {
    if (asyncId !== 0 && hookFields[async.kBefore] !== 0) asyncWrap.hooks.before(asyncId);
    result = Reflect.apply(callback, receiver, args);
    if (asyncId !== 0 && hookFields[async.kAfter] !== 0) asyncWrap.hooks.after(asyncId);
  } catch (error) {
    binding.uncaught(error, false);
  }
  depth--;
  asyncWrap.pop(asyncId);
  setFrame(outerFrame);
  if (depth === 0) drain();
  return result;
}

/** An entry that belongs to no resource. */
function enterPlain(callback, ...args) {
  return enter(0, 0, undefined, callback, undefined, callback, args);
}

// ---- Handles and requests ----------------------------------------------------------------------------------------

class AsyncWrap {
  #provider = 0;
  #asyncId = -1;
  #triggerAsyncId = 0;
  #frame;

  /** Without a provider the resource starts at `resetAs`. */
  constructor(provider) {
    if (provider === undefined) return;
    this.#provider = provider;
    this.#assign(-1);
  }

  #assign(asyncId, resource = this) {
    this.emitDestroy();
    this.#asyncId = asyncId === -1 ? asyncWrap.newAsyncId() : asyncId;
    this.#triggerAsyncId = asyncWrap.defaultTriggerAsyncId();
    this.#frame = getFrame();
    if (hookFields[async.kInit] !== 0) {
      asyncWrap.hooks.init(this.#asyncId, asyncWrap.providerName(this.#provider), this.#triggerAsyncId, resource);
    }
  }

  getAsyncId() {
    return this.#asyncId;
  }

  getTriggerAsyncId() {
    return this.#triggerAsyncId;
  }

  getProviderType() {
    return this.#provider;
  }

  asyncReset(resource, asyncId = -1) {
    this.#assign(typeof asyncId === 'number' ? asyncId : -1, typeof resource === 'object' && resource !== null ? resource : this);
  }

  /** Starts anew as a resource of another kind: objects that are used again. */
  resetAs(provider, resource) {
    this.#provider = provider;
    this.asyncReset(resource);
  }

  /** Tells the hooks that the resource is gone. */
  emitDestroy() {
    if (this.#asyncId > 0 && hookFields[async.kDestroy] !== 0) asyncWrap.queueDestroyAsyncId(this.#asyncId);
    this.#asyncId = -1;
  }

  /** Calls a function in this resource's async context from within another entry: no ticks, errors go to the caller. */
  callInside(callback, ...args) {
    const outerFrame = getFrame();
    const asyncId = this.#asyncId;
    setFrame(this.#frame);
    asyncWrap.push(asyncId, this.#triggerAsyncId, this);
    try {
      if (asyncId > 0 && hookFields[async.kBefore] !== 0) asyncWrap.hooks.before(asyncId);
      const result = Reflect.apply(callback, this, args);
      if (asyncId > 0 && hookFields[async.kAfter] !== 0) asyncWrap.hooks.after(asyncId);
      return result;
    } finally {
      asyncWrap.pop(asyncId);
      setFrame(outerFrame);
    }
  }

  /** Calls a function, or the method of that name if there is one, in this resource's async context. */
  makeCallback(callback, ...args) {
    const target = typeof callback === 'function' ? callback : this[callback];
    if (typeof target !== 'function') return undefined;
    return enter(this.#asyncId, this.#triggerAsyncId, this.#frame, this, this, target, args);
  }
}

class HandleWrap extends AsyncWrap {
  #state = 0;
  #referenced = true;

  close(callback) {
    if (this.#state !== 0) return;
    this.#state = 1;
    this._close();
    if (callback !== undefined) this[kOnClose] = callback;
    closing.push(() => {
      this.#state = 2;
      this.makeCallback(kOnClose);
    });
  }

  ref() {
    if (this.#state !== 0 || this.#referenced) return;
    this.#referenced = true;
    this._setRef(true);
  }

  unref() {
    if (this.#state !== 0 || !this.#referenced) return;
    this.#referenced = false;
    this._setRef(false);
  }

  hasRef() {
    return this.#state === 0 && this.#referenced;
  }

  _close() {}

  _setRef() {}
}

class ReqWrap extends AsyncWrap {
  cancel() {}
}

// ---- What bindings register --------------------------------------------------------------------------------------

function watch(handle, interest, onReady) {
  const known = watchers.get(handle);
  if (known === undefined) {
    watchers.set(handle, { onReady, referenced: true });
    referenced++;
  } else {
    known.onReady = onReady;
  }
  return native.watch(handle, interest);
}

function unwatch(handle) {
  const known = watchers.get(handle);
  if (known === undefined) return;
  if (known.referenced) referenced--;
  watchers.delete(handle);
  native.watch(handle, 0);
}

function reference(entry, wanted) {
  if (entry === undefined || entry.referenced === wanted) return;
  entry.referenced = wanted;
  referenced += wanted ? 1 : -1;
}

function setRef(handle, wanted) {
  reference(watchers.get(handle), wanted);
}

function defer(callback, ...args) {
  deferred.push(callback, args);
}

function onClosing(callback) {
  closing.push(callback);
}

function onResolved(request, callback) {
  resolutions.set(request, callback);
}

function onSignal(signal, callback) {
  const known = signals.get(signal);
  if (callback === null) {
    if (known === undefined) return 0;
    if (known.referenced) referenced--;
    signals.delete(signal);
    return native.watchSignal(signal, 0);
  }
  if (known === undefined) {
    signals.set(signal, { callback, referenced: true });
    referenced++;
  } else {
    known.callback = callback;
  }
  return native.watchSignal(signal, 1);
}

function setSignalRef(signal, wanted) {
  reference(signals.get(signal), wanted);
}

// ---- Phases ------------------------------------------------------------------------------------------------------

function updateTime() {
  now = Math.floor(native.clock() - origin);
}

function scheduleTimer(duration) {
  timerDue = now + Math.max(1, duration);
}

function runTimers() {
  if (timerDue === -1 || timerDue > now) return;
  timerDue = -1;
  let next;
  depth++;
  asyncWrap.push(0, 0, binding);
  for (;;) {
    try {
      next = binding.processTimers(now);
      break;
    } catch (error) {
      binding.uncaught(error, false);
    }
  }
  asyncWrap.pop(0);
  depth--;
  if (next === 0) {
    timerReferenced = false;
  } else {
    scheduleTimer(Math.abs(next) - now);
    timerReferenced = next > 0;
  }
  if (depth === 0) drain();
}

function runImmediates() {
  if (immediateInfo[kImmediateCount] === 0) return;
  do {
    enterPlain(binding.processImmediate);
  } while (immediateInfo[kImmediateOutstanding] !== 0);
}

function runDeferred() {
  const batch = deferred;
  deferred = [];
  for (let index = 0; index < batch.length; index += 2) Reflect.apply(batch[index], undefined, batch[index + 1]);
}

function runClosing() {
  const batch = closing;
  closing = [];
  for (const callback of batch) callback();
}

function isAlive() {
  return referenced > 0 || deferred.length > 0 || closing.length > 0 || resolutions.size > 0 ||
    (timerDue !== -1 && timerReferenced) || immediateInfo[kImmediateRefCount] > 0;
}

function pollTimeout() {
  if (deferred.length > 0 || closing.length > 0 || immediateInfo[kImmediateRefCount] > 0 || !isAlive()) return 0;
  return timerDue === -1 ? -1 : Math.max(0, timerDue - now) * NANOSECONDS_PER_MILLISECOND;
}

function dispatch(count) {
  for (let index = 0; index < count; index++) {
    const id = events[2 * index];
    const flags = events[2 * index + 1];
    if (flags & RESOLVED) {
      const callback = resolutions.get(id);
      resolutions.delete(id);
      callback?.(id);
    } else if (flags & SIGNAL) {
      signals.get(id)?.callback(id);
    } else {
      watchers.get(id)?.onReady(flags);
    }
  }
}

function poll() {
  const timeout = pollTimeout();
  if (timeout === 0 && watchers.size === 0 && signals.size === 0 && resolutions.size === 0) return;
  let count = native.wait(timeout, events);
  updateTime();
  dispatch(count);
  // A full list may hide more; libuv asks again without waiting, up to 48 times.
  for (let more = 0; count === EVENTS_MAX && more < 48; more++) {
    count = native.wait(0, events);
    dispatch(count);
  }
}

/** As `uv_run(UV_RUN_DEFAULT)`: goes on until nothing is alive. */
function run() {
  if (isAlive()) {
    updateTime();
    runTimers();
  }
  while (isAlive()) {
    runDeferred();
    poll();
    runImmediates();
    runClosing();
    updateTime();
    runTimers();
  }
}

/** Loop time starts at 0 in every process: while sealed it stands still there. */
function start() {
  origin = native.clock();
  now = 0;
}

Object.assign(binding, {
  AsyncWrap, HandleWrap, ReqWrap,
  READABLE, WRITABLE, HANGUP,
  watch, unwatch, setRef, defer, onClosing, onResolved, onSignal, setSignalRef,
  now: () => now,
  scheduleTimer,
  setTimerRef(wanted) { timerReferenced = wanted; },
  enter, enterPlain, drain, run, start, isAlive,
  isIdle: () => tickInfo[kHasTickScheduled] === 0 && tickInfo[kHasRejectionToWarn] === 0,
  exitCodes, kOwner, timeoutInfo,
});
