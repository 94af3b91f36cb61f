// --- kernel, faults, worlds
export { createKernel, type KernelHandle, type KernelOptions, openKernel } from './create-kernel.ts';
export { type SimFailures, simFailure } from './failures.ts';
export type { FaultRule } from './faults.ts';
export type { SimEvent, SimFault, SimKernel, SimModel, SimStore, SimTimer } from './kernel.ts';
export type { KubeHost, KubeletFacts, KubeModel } from './kube-door.ts';
