export { createHostClock } from './clock.ts';
export { type DialReason, hostFailure, type HostFailures } from './failures.ts';
export { createHostWorld, type HostWorldOptions } from './world.ts';
