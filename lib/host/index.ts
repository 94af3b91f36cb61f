export { createHostClock } from './clock.ts';
export { killGroup } from './exec.ts';
export { type DialReason, hostFailure, type HostFailures } from './failures.ts';
export { ownOutput, standardError, standardOutput } from './output.ts';
export { expectShortWork } from './many.ts';
export { expectManyFiles } from './to-disk.ts';
export { createHostWorld, type HostWorldOptions } from './world.ts';
