// Everything said to a machine: reading ports, changing ports, what kind of machine answers under an address.
export type { ApplyMode, ApplyResult, ConfigToApply } from './client/apply.ts';
export { bootstrapRefusalsThatPass, statusRows } from './client/calls.ts';
export { talosFailure, type TalosClientFailures } from './client/failures.ts';
export { type ExpectedIdentity, type Proven, proveIdentity, verifyIdentity } from './client/identity.ts';
export { readSnapshot, readSnapshotOwner, type SnapshotContents, type SnapshotOwner } from './etcd-snapshot.ts';
export {
  type Disk,
  type EtcdAlarm,
  type EtcdMember,
  type EtcdStatus,
  type Link,
  type MachineRole,
  type MachineStage,
  type MachineStatus,
  type Member,
  type ServiceStatus,
  type SystemInformation,
  type TalosVersion,
  types as talosResourceTypes,
} from './client/machine-facts.ts';
export {
  createTalosMutator,
  type LegacyUpgradeOptions,
  type RebootMode,
  type ResetOptions,
  type Started,
  type TalosMutator,
} from './client/mutator.ts';
export { type MachineProbe, type ProbedMachine, probeMachine } from './client/probe.ts';
export { createTalosReader, type EventOptions, eventPayload, type TalosEvent, type TalosReader } from './client/reader.ts';
export { type Resource, type ResourceEvent, type ResourceType, specOf as resourceSpecOf } from './client/resources.ts';
export type {
  Cgroup,
  Container,
  ContainerNamespace,
  CpuFacts,
  MemoryUse,
  Mount,
  Process,
  SystemReader,
} from './client/system-facts.ts';
export type { Detours, TalosMachine, TalosPorts } from './client/session.ts';
