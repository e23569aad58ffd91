// The microtask queue and the callbacks for ticks and unhandled rejections.
'use strict';

let onReject;

binding.enqueueMicrotask = native.enqueueMicrotask;
binding.setTickCallback = (callback) => { internalBinding('edge_loop').tickCallback = callback; };
binding.setPromiseRejectCallback = (callback) => {
  onReject = callback;
  native.setRejectionTracker((promise, reason, isHandled) => {
    if (isHandled) {
      onReject(binding.promiseRejectEvents.kPromiseHandlerAddedAfterReject, promise, undefined);
    } else {
      onReject(binding.promiseRejectEvents.kPromiseRejectWithNoHandler, promise, reason);
    }
  });
};

function runMicrotasks() {
  for (;;) {
    try {
      native.runMicrotasks();
      return;
    } catch (error) {
      internalBinding('edge_loop').uncaught(error, false);
    }
  }
}

binding.runMicrotasks = runMicrotasks;
binding.runMicrotask = native.runMicrotask;
