// The one timer and the immediates that Node's timer lists stand on.
'use strict';

binding.setupTimers = (processImmediate, processTimers) => {
  const loop = internalBinding('edge_loop');
  loop.processImmediate = processImmediate;
  loop.processTimers = processTimers;
};
binding.getLibuvNow = () => internalBinding('edge_loop').now();
binding.scheduleTimer = (duration) => internalBinding('edge_loop').scheduleTimer(duration);
binding.toggleTimerRef = (wanted) => internalBinding('edge_loop').setTimerRef(wanted);
// The loop looks at the count of referenced immediates itself.
binding.toggleImmediateRef = () => {};
