// --- kernel, faults, worlds
export { createKernel, type FaultHit, type KernelHandle, type KernelOptions, openKernel } from './create-kernel.ts';
export { type SimFailures, simFailure } from './failures.ts';
export { bootstrapFaults, type FaultClass, faultClasses, swarmFaults } from './fault-points.ts';
export type { FaultRule } from './faults.ts';
export type { SimEvent, SimFault, SimKernel, SimModel, SimStore, SimTimer } from './kernel.ts';
export type { KubeHost, KubeletFacts, KubeModel } from './kube-door.ts';
export { createMemoryFiles, type InitialFile, type MemoryFiles } from './memory-files.ts';
export { createMemoryWorld, type MemoryWorld, type MemoryWorldOptions } from './memory-world.ts';
export { createNetwork, type SimListener, type SimNetwork, type SimService } from './network.ts';
export type { DiskSpec, LinkSpec, MachineSpec, SandboxSpec } from './spec.ts';
// --- machines, sandbox
export { type ClusterHooks, type SimMount, startCluster } from './cluster.ts';
export { attachSandbox, type AttachedSandbox, kubeconfigOutside, readSandbox, resetSandbox, talosconfigOutside } from './attach.ts';
export {
  type EndState,
  type InvariantId,
  type Invariants,
  type JournalOf,
  type RunEnd,
  type RunTerms,
  type RunWatch,
  type Terms,
  type Violation,
  watchInvariants,
} from './invariants.ts';
export { encodingsOf } from './invariants/canary.ts';
export { createOperator, type Deed, type Operator } from './operator.ts';
export { openSandbox, type Sandbox, type SandboxEndpoint, type SandboxOptions } from './sandbox.ts';
export type { SandboxStatus } from './status.ts';
export type { ConfigCheck } from './talos/api/call.ts';
export type { AlarmKind } from './talos/etcd.ts';
export { type Hand, type TalosModel } from './talos/model.ts';
// --- image factory
export { createFactory, factoryHost, type FactoryOptions, type SimFactory } from './factory/factory.ts';

// --- chart registry
export type { ChartFolder } from './registry/chart-folder.ts';
export { packChart, simulatedCharts, standInFor } from './registry/pack-chart.ts';
export { createRegistry, type RegistryOptions, type SimRegistry } from './registry/registry.ts';
// --- Kubernetes, Flux
export type { FluxOptions } from './flux/context.ts';
export { type FluxRepository, type Rendered, type RenderedObject, repositoryOfFiles } from './flux/kustomize.ts';
export { createFluxModel, type FluxModel } from './flux/model.ts';
export { type Landscape, type TupprPhase } from './kube/landscape.ts';
export { createKubeModel, type KubeModelOptions, type SimulatedKube } from './kube/model.ts';
export { type KubeTimings, usualTimings } from './kube/state.ts';
