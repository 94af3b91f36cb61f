import type { Talconfig, TalconfigNode } from '../config/index.ts';
import {
  bootImageUrl,
  contractOf,
  type GeneratorInput,
  type GeneratorNode,
  installerImage,
  schematicId,
  schematicOf,
} from '../talos/machine-config.ts';

type Values = Exclude<GeneratorInput['cni'], undefined>;

export interface GeneratorInputOptions {
  /** Whether what 1.14 switches on for new clusters is wanted: false for a cluster that was made with an older contract. */
  readonly hardening: boolean;
  /** Renders a template of a file name or an image URL that holds more than plain fields. Absent: such a template stays as it is. */
  readonly renderTemplate?: (template: string, data: Readonly<Record<string, string | boolean>>) => string;
}

/** What the generator is told about the cluster of a talconfig. */
export function generatorInput(talconfig: Talconfig, options: GeneratorInputOptions): GeneratorInput {
  return {
    clusterName: talconfig.clusterName,
    endpoint: talconfig.endpoint,
    contract: contractOf(talconfig.talosVersion),
    kubernetesVersion: talconfig.kubernetesVersion.replace(/^v/, ''),
    ...(talconfig.domain === undefined ? {} : { dnsDomain: talconfig.domain }),
    ...(talconfig.clusterPodNets.length === 0 ? {} : { podSubnets: talconfig.clusterPodNets }),
    ...(talconfig.clusterSvcNets.length === 0 ? {} : { serviceSubnets: talconfig.clusterSvcNets }),
    allowSchedulingOnControlPlanes: talconfig.allowSchedulingOnControlPlanes,
    machineCertSans: talconfig.additionalMachineCertSans,
    apiServerCertSans: talconfig.additionalApiServerCertSans,
    ...(talconfig.cniConfig === undefined ? {} : { cni: talconfig.cniConfig }),
    inlineManifests: talconfig.inlineManifests,
    patches: talconfig.patches,
    nodes: talconfig.nodes.map((node) => generatorNode(talconfig, node, options)),
    hardening: options.hardening,
  };
}

function generatorNode(talconfig: Talconfig, node: TalconfigNode, options: GeneratorInputOptions): GeneratorNode {
  const { configs } = node;
  const schematic = mapOf(configs['schematic']);
  return {
    name: node.hostname,
    role: node.controlPlane ? 'controlplane' : 'worker',
    fileName: machineConfigFileName(talconfig, node, options),
    ...(node.installDisk === undefined ? {} : { installDisk: node.installDisk }),
    ...(node.installDiskSelector === undefined ? {} : { installDiskSelector: node.installDiskSelector }),
    installerImage: installerImageOf(talconfig, node, options),
    extraKernelArgs: textsOf(mapOf(schematic['customization'])['extraKernelArgs']),
    useUki: mapOf(configs['machineSpec'])['useUKI'] === true,
    ignoreHostname: node.ignoreHostname,
    certSans: node.certSans,
    nameservers: textsOf(configs['nameservers']),
    disableSearchDomain: configs['disableSearchDomain'] === true,
    ...some('labels', configs['nodeLabels'], mapOf),
    ...some('annotations', configs['nodeAnnotations'], mapOf),
    ...some('taints', configs['nodeTaints'], mapOf),
    ...some('disks', configs['machineDisks'], mapsOf),
    files: node.machineFiles,
    ...some('kernelModules', configs['kernelModules'], mapsOf),
    ...some('networkInterfaces', configs['networkInterfaces'], mapsOf),
    ...some('ingressFirewall', configs['ingressFirewall'], mapOf),
    ...some('extensionServices', configs['extensionServices'], mapsOf),
    ...some('volumes', configs['volumes'], mapsOf),
    ...some('userVolumes', configs['userVolumes'], mapsOf),
    patches: node.patches,
    extraManifests: node.extraManifests,
    declaredAt: node.declaredAt,
  };
}

/** `<cluster>-<node>.yaml`, or what `filenameTmpl` says. */
export function machineConfigFileName(
  talconfig: Talconfig,
  node: TalconfigNode,
  options: Pick<GeneratorInputOptions, 'renderTemplate'> = {},
): string {
  return fill(
    node.fileNameTemplate ?? '{{ .ClusterName }}-{{ .Hostname }}.yaml',
    {
      ClusterName: talconfig.clusterName,
      Hostname: node.hostname,
      IPAddress: node.ipAddresses.join(', '),
      Role: node.controlPlane ? 'controlplane' : 'worker',
    },
    options,
  );
}

/** The image that installs a node: `talosImageURL`, or that of its schematic. */
export function installerImageOf(
  talconfig: Talconfig,
  node: TalconfigNode,
  options: Pick<GeneratorInputOptions, 'renderTemplate'> = {},
): string {
  const given = node.configs['talosImageURL'];
  if (typeof given === 'string' && given !== '') return `${given}:${talconfig.talosVersion}`;
  const id = nodeSchematicId(node);
  const spec = mapOf(node.configs['machineSpec']);
  const platform = textOf(spec['mode']) || 'metal';
  const secureBoot = spec['secureboot'] === true;
  const { installerUrlTemplate, registryUrl } = talconfig.imageFactory;
  if (installerUrlTemplate === undefined) {
    return installerImage({ factory: registryUrl, platform, secureBoot, schematicId: id, talosVersion: talconfig.talosVersion });
  }
  return fill(
    installerUrlTemplate,
    { RegistryURL: registryUrl, ID: id, Version: talconfig.talosVersion, Mode: platform, Secureboot: secureBoot },
    options,
  );
}

/** The image that a node boots from the first time; its schematic may be another than the installer's. */
export function bootImageOf(talconfig: Talconfig, node: TalconfigNode): string {
  const spec = mapOf(node.configs['machineSpec']);
  const secureBoot = spec['secureboot'] === true;
  const method = textOf(spec['bootMethod']) || 'iso';
  const medium =
    method === 'iso' && secureBoot && spec['useUKI'] === true ? 'uki' : method === 'disk-image' || method === 'pxe' ? method : 'iso';
  return bootImageUrl(
    medium,
    {
      schematicId: schematicId(schematicOf(node.configs['imageSchematic'] ?? node.configs['schematic'])),
      talosVersion: talconfig.talosVersion,
      platform: textOf(spec['mode']) || 'metal',
      arch: textOf(spec['arch']) || 'amd64',
      secureBoot,
      factory: talconfig.imageFactory.registryUrl,
      protocol: talconfig.imageFactory.protocol,
    },
    textOf(spec['imageSuffix']) || 'raw.zst',
  );
}

export function nodeSchematicId(node: TalconfigNode): string {
  return schematicId(schematicOf(node.configs['schematic']));
}

/** Fields and simple conditions over them; anything more goes to the template engine. */
function fill(
  template: string,
  data: Readonly<Record<string, string | boolean>>,
  options: Pick<GeneratorInputOptions, 'renderTemplate'>,
): string {
  const filled = template
    .replace(
      /\{\{-?\s*if\s+\.(\w+)\s*-?\}\}(.*?)(?:\{\{-?\s*else\s*-?\}\}(.*?))?\{\{-?\s*end\s*-?\}\}/gs,
      (_, name: string, yes: string, no: string | undefined) => (data[name] ? yes : (no ?? '')),
    )
    .replace(/\{\{-?\s*\.(\w+)\s*-?\}\}/g, (whole, name: string) => (data[name] === undefined ? whole : String(data[name])));
  return filled.includes('{{') && options.renderTemplate ? options.renderTemplate(template, data) : filled;
}

function some<K extends string, T, R>(key: K, value: T | undefined, read: (value: T | undefined) => R): { [P in K]?: R } {
  return (value === undefined ? {} : { [key]: read(value) }) as { [P in K]?: R };
}

type Value = Values[string];
const mapOf = (value: unknown): Values => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Values) : {});
const mapsOf = (value: unknown): Values[] =>
  Array.isArray(value) ? value.filter((item: Value) => typeof item === 'object' && item !== null && !Array.isArray(item)) : [];
const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
