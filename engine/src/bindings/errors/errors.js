// Stack traces in V8's form and the end of the process by an uncaught exception.
'use strict';

let prepareStack;
let enhanceBefore;
let enhanceAfter;

binding.setPrepareStackTraceCallback = (callback) => {
  prepareStack = callback;
  native.setStackFormatter((error, callSites) => prepareStack(globalThis, error, callSites));
};
binding.setEnhanceStackForFatalException = (before, after) => {
  enhanceBefore = before;
  enhanceAfter = after;
};
binding.setGetSourceMapErrorSource = () => {};
binding.setMaybeCacheGeneratedSourceMap = () => {};
binding.setSourceMapsEnabled = () => {};
binding.getErrorSourcePositions = () => undefined;

binding.noSideEffectsToString = (value) => {
  try {
    return String(value);
  } catch {
    return '[object Object]';
  }
};

binding.triggerUncaughtException = (error, fromPromise) => internalBinding('edge_loop').uncaught(error, fromPromise);

/** What node prints for an exception that ends the process, without the source line above it. */
binding.describeFatal = (error) => {
  if ((typeof error !== 'object' && typeof error !== 'function') || error === null) {
    const hint = '(Use `node --trace-uncaught ...` to show where the exception was thrown)';
    return `${binding.noSideEffectsToString(error)}\n${hint}`;
  }
  enhanceBefore(error);
  return enhanceAfter(error);
};
