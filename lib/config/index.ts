export { sourceDisagreements } from './disagreement.ts';
export { configFailure, type ConfigFailures, type DataKind, type Expected } from './failures.ts';
export {
  type ClusterSource,
  clusterFile,
  type FindOptions,
  findRepository,
  nodesFile,
  renderedMark,
  type Repository,
  talconfigPlaces,
} from './find.ts';
export { inputSchemas } from './json-schema.ts';
export { checkKubePrism } from './kube-prism.ts';
export { loadClusterInputs, type LoadedInputs } from './load.ts';
export type { ClusterModel, ClusterPaths, DiskChoice, NodeModel } from './model.ts';
export { secretKeys, type SecretKey } from './schema.ts';
export { type ClusterSecrets, missingSecrets, placeholderSecrets, readSecrets, secretData, secretsFile } from './secret-inputs.ts';
export type { TemplateData, TemplateNode } from './template-data.ts';

// talconfig.yaml
export {
  defaultSecretFiles,
  type Talconfig,
  type TalconfigNode,
  type TalconfigOptions,
  type TalconfigPatch,
  talconfigPlace,
} from './talconfig.ts';
export { envFilesOf, type EnvironmentOptions, fillSecretFile } from './talconfig-environment.ts';
export { talconfigFailure, type TalconfigFailures } from './talconfig-failures.ts';
export { loadTalconfig } from './load-talconfig.ts';
export { clusterModelOf, installerOf } from './talconfig-model.ts';
export { secretFilesIn, talconfigPaths } from './paths.ts';
export type { Plain, PlainMap } from './talconfig-read.ts';
