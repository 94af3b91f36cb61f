// The door for what needs no machine: configurations, patches, the secrets bundle, schematics. Loads no wire types.
export { type TalosConfigFailures, talosConfigFailure } from './config/failures.ts';
export { type BaseInput, generateBase } from './config/base.ts';
export { decodeMachineConfig, type DecodedConfig, type DecodeOptions } from './config/decode.ts';
export { type ConfigDocument, documentId, documentLabel } from './config/document.ts';
export { plainDocument, renderDocument, renderMachineConfig } from './config/encode.ts';
export { type ExplainedLayer, explainField, type Explanation } from './config/explain.ts';
export { generateMachineConfigs } from './config/generate.ts';
export type {
  GeneratedMachineConfig,
  GenerateOptions,
  GeneratorInput,
  GeneratorNode,
  GeneratorPatch,
  Layer,
} from './config/generate-request.ts';
export { type ClusterConfig, type ClusterConfigsRequest, generateClusterConfigs } from './config/gen-config.ts';
export { bootImageUrl, type BootMedium, type ImageQuestion, installerImage } from './config/images.ts';
export { type KeptValue } from './config/merge.ts';
export { contractOf, isAtLeastMinor } from './config/minor.ts';
export { movedTo } from './config/moved-fields.ts';
export { type LostSetting } from './config/network-documents.ts';
export { applyPatch, loadPatch, type Patch, patchMachineConfig, type PatchRequest } from './config/patch.ts';
export { createImageFactory, type FactoryAddress, type FactoryPorts, type ImageFactory, type Registered } from './config/factory.ts';
export { buildSchematic, type SchematicWish } from './config/schematic-build.ts';
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
