export { createHostClock } from './clock.ts';
export { killGroup } from './exec.ts';
export { type DialReason, hostFailure, type HostFailures } from './failures.ts';
export { createHostWorld, type HostWorldOptions } from './world.ts';
