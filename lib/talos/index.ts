// Machine configurations, patches, the secrets bundle, schematics.
export { type TalosConfigFailures, talosConfigFailure } from './config/failures.ts';
export { type BaseInput, generateBase } from './config/base.ts';
export { decodeMachineConfig, type DecodedConfig, type DecodeOptions } from './config/decode.ts';
export { type ConfigDocument, documentId, documentLabel } from './config/document.ts';
export { plainDocument, renderDocument, renderMachineConfig } from './config/encode.ts';
export { type ExplainedLayer, explainField, type Explanation } from './config/explain.ts';
export {
  type GeneratedMachineConfig,
  generateMachineConfigs,
  type GenerateOptions,
  type GeneratorInput,
  type GeneratorNode,
  type GeneratorPatch,
  type Layer,
} from './config/generate.ts';
export { type ClusterConfig, type ClusterConfigsRequest, generateClusterConfigs } from './config/gen-config.ts';
export { bootImageUrl, type BootMedium, type ImageQuestion, installerImage } from './config/images.ts';
export { type KeptValue } from './config/merge.ts';
export { contractOf, isAtLeastMinor } from './config/minor.ts';
export { type LostSetting } from './config/network-documents.ts';
export { applyPatch, loadPatch, type Patch, patchMachineConfig, type PatchRequest } from './config/patch.ts';
export { parseSchematic, renderSchematic, type Schematic, schematicId, schematicOf } from './config/schematic.ts';
export {
  bundleFromControlPlaneConfig,
  createSecretsBundle,
  parseSecretsBundle,
  renderSecretsBundle,
  type SecretsBundle,
  secretsBundleOf,
  secretValuesOf,
} from './config/secrets-bundle.ts';
export { type GeneratedTalosconfig, generateTalosconfig, type TalosconfigOptions } from './config/talosconfig.ts';
export { checkForNode } from './config/node-check.ts';
export {
  type ConfigChange,
  type ConfigChangePlan,
  planConfigChange,
  validateDocuments,
  validateMachineConfig,
  type Validation,
  type ValidationOptions,
} from './config/validate.ts';
export { type ConfigMap, type ConfigValue } from './config/value.ts';

// Everything said to a machine: reading ports, changing ports, what kind of machine answers under an address.
export type { ApplyMode, ApplyResult, ConfigToApply } from './client/apply.ts';
export { bootstrapRefusalsThatPass, statusRows } from './client/calls.ts';
export { talosFailure, type TalosClientFailures } from './client/failures.ts';
export { type ExpectedIdentity, verifyIdentity } from './client/identity.ts';
export {
  type Disk,
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
export type { TalosMachine, TalosPorts } from './client/session.ts';
