// --- kernel, faults, worlds
export { createKernel, type KernelHandle, type KernelOptions, openKernel } from './create-kernel.ts';
export { type SimFailures, simFailure } from './failures.ts';
export type { FaultRule } from './faults.ts';
export type { SimEvent, SimFault, SimKernel, SimModel, SimStore, SimTimer } from './kernel.ts';
export type { KubeHost, KubeletFacts, KubeModel } from './kube-door.ts';
export { createMemoryFiles, type MemoryFiles } from './memory-files.ts';
export { createMemoryWorld, type MemoryWorld, type MemoryWorldOptions } from './memory-world.ts';
export { createNetwork, type SimListener, type SimNetwork, type SimService } from './network.ts';
export type { DiskSpec, LinkSpec, MachineSpec, SandboxSpec } from './spec.ts';
