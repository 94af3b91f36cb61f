// The door for plain data. Loads no library; the wire types are behind index.ts.

// What the documents of a machine configuration hold, per Talos minor.
export {
  type DocumentKind,
  machineConfigSchema,
  type MachineConfigSchema,
  type SchemaField,
  type SchemaType,
  type TalosMinor,
  talosMinors,
} from './machine-config-schema.ts';

// What each Talos minor generates and supports.
export {
  compatibility,
  type ContractSwitch,
  contractSwitches,
  defaultKubernetesVersion,
  isSwitchedOn,
  talosDefaults,
} from './contracts.ts';
export { type KubernetesRemovals, kubernetesPaths, kubernetesRemovals } from './upgrades.ts';
export { defaultKubernetes, newestTalos, newestTalosPatch, operatedMinors } from './newest.ts';

// What talhelper's file and the image factory's schematics may say.
export { removedTalconfigKeys, schematicSchema, talconfigSchema, talhelperDefaultTalosVersion } from './talconfig-schema.ts';
export { type ResourceDefinition, resourceDefinitions } from './resource-definitions.ts';
export { type ResourceNamespace, resourceNamespaces } from './resource-namespaces.ts';

// Which old fields and new documents exclude each other, what is deprecated, and what applies without a reboot.
export {
  appliesWithoutReboot,
  deprecatedFields,
  type DocumentConflict,
  documentConflicts,
  exclusiveKinds,
  movedFields,
} from './conflicts.ts';

// What expressions of selectors may speak of.
export { expressionEnvironments, expressionFields, type ExpressionSubject } from './expressions.ts';

// What the image factory offers, per Talos minor.
export { hasFactoryLists, officialExtensions, officialOverlays } from './extensions.ts';
