// Drives the program: sealed start-up in steps that can be stopped between any two, then, in the process that is to
// run it, what is left of start-up, the event loop, and the end.
(function makeProgram(native, shared) {
  'use strict';

  const { process, internalBinding, require } = shared;
  const loop = internalBinding('edge_loop');
  const { runMicrotask, tickInfo } = internalBinding('task_queue');
  const SUSPENDED = 0;
  const COMPLETED = 1;
  const THREW = 2;
  const UNSETTLED_TOP_LEVEL_AWAIT = 13;

  shared.isSealed = false;
  let thrown;
  let hasThrown = false;
  let main;
  let mode;
  // Where start-up is: the value or error that the main generator waits to be resumed with.
  let state = 'loaded';
  let resumption;
  // An ES module runs in a promise job in node, so those that it leaves come before its ticks.
  let jobsComeFirst = false;

  loop.uncaught = (error, fromPromise) => {
    if (shared.isSealed) {
      hasThrown = true;
      thrown = error;
      return;
    }
    let handled;
    try {
      handled = process._fatalException(error, fromPromise);
    } catch (second) {
      report(second);
      native.exit(loop.exitCodes.kExceptionInFatalExceptionHandler);
    }
    if (handled) return;
    report(error);
    native.exit(process.exitCode ?? loop.exitCodes.kGenericUserError);
  };

  function report(error) {
    native.writeError(shared.formatFatal(error));
  }

  /** Runs the main program until it ends, awaits, or has to stop before a step. */
  function drive() {
    while (state === 'running') {
      if (native.step()) return SUSPENDED;
      const { method, value } = resumption;
      resumption = { method: 'next', value: undefined };
      let result;
      try {
        result = main[method](value);
      } catch (error) {
        state = 'done';
        loop.uncaught(error, false);
        return COMPLETED;
      }
      if (result.done) {
        state = 'done';
      } else if (result.value !== undefined) {
        state = 'awaiting';
        awaitTopLevel(result.value[0]);
      }
    }
    return COMPLETED;
  }

  function awaitTopLevel(value) {
    const resume = (method) => (settled) => {
      resumption = { method, value: settled };
      state = 'running';
      drive();
    };
    Promise.resolve(value).then(resume('next'), resume('throw'));
  }

  /** Starts or goes on with the main program, then drains microtasks and ticks, a step each. */
  function startUp() {
    if (state === 'loaded') {
      state = 'running';
      resumption = { method: 'next', value: undefined };
      main = native.entry()(shared.appEnvironment);
    }
    if (drive() === SUSPENDED || hasThrown) return SUSPENDED;
    for (;;) {
      if (native.step()) return SUSPENDED;
      if (jobsComeFirst) {
        jobsComeFirst = microtask();
      } else if (!loop.isIdle()) {
        loop.drain();
      } else if (!microtask()) {
        return COMPLETED;
      }
      if (native.isStopped() || hasThrown) return SUSPENDED;
    }
  }

  function microtask() {
    try {
      return runMicrotask();
    } catch (error) {
      loop.uncaught(error, false);
      return true;
    }
  }

  /** At build time: as far as step `stopAt`. */
  function start() {
    shared.isSealed = true;
    const status = startUp();
    if (!hasThrown) beforeSnapshot();
    shared.isSealed = false;
    if (!hasThrown) return status;
    native.setThrown(String(thrown?.stack ?? thrown));
    return THREW;
  }

  /** What the program wants done before: it is part of no step, as it follows whichever was the last. */
  function beforeSnapshot() {
    native.leaveSteps();
    try {
      shared.snapshotHooks.serialize();
    } catch (error) {
      loop.uncaught(error, false);
    }
  }

  /** How much the program has open, by kind, for an audit. */
  function resources() {
    return process.getActiveResourcesInfo().join('\n');
  }

  /** In the process that runs the program: to its end; the exit code. */
  function run() {
    shared.refresh();
    loop.start();
    if (mode === 'node') {
      loop.enterPlain(() => require('internal/modules/cjs/loader').Module.runMain(shared.entry));
    } else {
      const hooks = shared.snapshotHooks;
      if (hooks.hasDeserialize()) loop.enterPlain(hooks.deserialize);
      startUp();
      if (hooks.hasMain()) loop.enterPlain(hooks.runMain);
    }
    do {
      loop.run();
      if (loop.isAlive()) continue;
      loop.enterPlain(() => process.emit('beforeExit', process.exitCode ?? 0));
    } while (loop.isAlive());
    return end();
  }

  function end() {
    let code = process.exitCode ?? 0;
    if (state === 'awaiting' && process.exitCode === undefined) {
      native.writeError('Warning: Detected unsettled top-level await\n');
      code = UNSETTLED_TOP_LEVEL_AWAIT;
    }
    process._exiting = true;
    loop.enterPlain(() => process.emit('exit', code));
    return process.exitCode ?? code;
  }

  /** Takes what the loaded package says of itself. */
  function configure(loadedMode, entry) {
    mode = loadedMode;
    jobsComeFirst = mode === 'module';
    shared.entry = entry;
  }

  return { configure, start, run, resources };
});
