import { type SchemaType, typesFromTables } from './machine-config-schema.ts';

/** Source: talhelper v3.1.17 pkg/config/config.go, and image-factory pkg/schematic for `schematic` */
const table = `
type talconfig.Config
 clusterName string
 talosVersion? string
 kubernetesVersion string
 endpoint string
 domain? string
 allowSchedulingOnMasters? bool
 allowSchedulingOnControlPlanes? bool
 additionalMachineCertSans? []string
 additionalApiServerCertSans? []string
 inlineManifests? []talconfig.InlineManifest
 clusterPodNets? []string
 clusterSvcNets? []string
 cniConfig? *v1alpha1.CNIConfig
 patches? []string
 nodes []talconfig.Node
 imageFactory? talconfig.ImageFactory
 controlPlane? talconfig.NodeConfigs
 worker? talconfig.NodeConfigs
type talconfig.InlineManifest
 name string
 contents string
 skipEnvsubst? bool
type talconfig.ImageFactory
 registryURL? string
 schematicEndpoint? string
 protocol? string
 installerURLTmpl? string
 ISOURLTmpl? string
type talconfig.Node
 hostname string
 ipAddress? string
 controlPlane bool
 installDisk? string
 installDiskSelector? *v1alpha1.InstallDiskSelector
 ignoreHostname bool
 overridePatches? bool
 overrideExtraManifests? bool
 overrideMachineCertSANs? bool
@configs
type talconfig.NodeConfigs
@configs
type talconfig.MachineFile
 content string
 permissions v1alpha1.FileMode
 path string
 op string
 skipEnvsubst? bool
type talconfig.MachineSpec
 mode? string
 arch? string
 secureboot? bool
 useUKI? bool
 bootMethod? string
 imageSuffix? string
type talconfig.IngressFirewall
 defaultAction? nethelpers.DefaultAction
 rules? []talconfig.NetworkRule
type talconfig.NetworkRule
 name string
 portSelector network.RulePortSelector
 ingress network.IngressConfig
type talconfig.ExtensionService
 name string
 configFiles? extensions.ConfigFileList
 environment? []string
type talconfig.UserVolume
 name string
 volumeType *block.VolumeType
 provisioning block.ProvisioningSpec
 filesystem block.FilesystemSpec
 encryption block.EncryptionSpec
type talconfig.Volume
 name string
 provisioning block.ProvisioningSpec
 encryption block.EncryptionSpec
type schematic.Schematic
 owner? string
 overlay? schematic.Overlay
 customization schematic.Customization
type schematic.Overlay
 image string
 name string
 options? any
type schematic.Customization
 embeddedMachineConfiguration? string
 extraKernelArgs? []string
 meta? []schematic.Meta
 systemExtensions? schematic.SystemExtensions
 bootloader? string
 secureboot? schematic.SecureBoot
 diskImage? schematic.DiskImage
type schematic.Meta
 key uint8
 value string
type schematic.SystemExtensions
 officialExtensions? []string
type schematic.SecureBoot
 enrollKeys? string
 includeWellKnownCertificates? bool
type schematic.DiskImage
 sectorSize? uint
`;

const configs = ` nodeLabels map[string]string
 nodeAnnotations map[string]string
 nodeTaints map[string]string
 machineDisks? []*v1alpha1.MachineDisk
 machineFiles? []talconfig.MachineFile
 disableSearchDomain? bool
 kernelModules? []*v1alpha1.KernelModuleConfig
 nameservers? []string
 networkInterfaces? []*v1alpha1.Device
 extraManifests? []string
 certSANs? []string
 patches? []string
 talosImageURL string
 noSchematicValidate bool
 schematic? *schematic.Schematic
 imageSchematic? *schematic.Schematic
 machineSpec? talconfig.MachineSpec
 ingressFirewall? *talconfig.IngressFirewall
 extensionServices? []*talconfig.ExtensionService
 volumes? []*talconfig.Volume
 userVolumes? []*talconfig.UserVolume
 filenameTmpl string`;

let types: ((name: string) => SchemaType) | undefined;

function schemaOf(name: string): SchemaType {
  types ??= typesFromTables(table.replaceAll('@configs', configs));
  return types(name);
}

/** What a talconfig.yaml may say. */
export function talconfigSchema(): SchemaType {
  return schemaOf('talconfig.Config');
}

/** What a schematic of the image factory may say. */
export function schematicSchema(): SchemaType {
  return schemaOf('schematic.Schematic');
}

/** Keys of older talhelpers, and what says the same today. */
export const removedTalconfigKeys: Readonly<Record<string, string>> = {
  inlinePatch: 'patches',
  configPatches: 'patches',
  extensions: 'schematic.customization.systemExtensions.officialExtensions',
  isoSchematic: 'imageSchematic',
  additionalMachineCertSANs: 'additionalMachineCertSans',
};

/** The version that talhelper 3.1.17 takes where the file names none. */
export const talhelperDefaultTalosVersion = 'v1.13.9';
