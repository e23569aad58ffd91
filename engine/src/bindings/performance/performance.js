// Milestones and `performance.now`. The time origin is the start of the process, not of the build.
'use strict';

const { milestones, constants } = binding;
const { NODE_PERFORMANCE_MILESTONE_TIME_ORIGIN: ORIGIN, NODE_PERFORMANCE_MILESTONE_TIME_ORIGIN_TIMESTAMP: ORIGIN_TIMESTAMP } = constants;

binding.now = () => native.clock() - milestones[ORIGIN] / 1e6;
binding.markBootstrapComplete = () => {};
binding.setupObservers = () => {};
binding.notify = () => {};
binding.installGarbageCollectionTracking = () => {};
binding.removeGarbageCollectionTracking = () => {};
binding.loopIdleTime = () => 0;
binding.uvMetricsInfo = () => [0, 0, 0];

/** Called at boot, before any JavaScript of the app. Nanoseconds and microseconds, as node keeps them. */
binding.refresh = () => {
  const start = native.clockNanoseconds();
  milestones.fill(start);
  milestones[ORIGIN] = start;
  milestones[ORIGIN_TIMESTAMP] = native.timestampMicroseconds();
};
