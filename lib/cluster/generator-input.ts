import { createRedactor } from '../base/index.ts';
import type { Talconfig, TalconfigNode } from '../config/index.ts';
import { contractOf, type GeneratorInput, type GeneratorNode } from '../talos/machine-config.ts';
import { fillTemplate, installerImageOf, type TemplateOptions } from './talconfig-images.ts';

type Values = Exclude<GeneratorInput['cni'], undefined>;

export interface GeneratorInputOptions extends TemplateOptions {
  /** Whether what 1.14 switches on for new clusters is wanted: false for a cluster that was made with an older contract. */
  readonly hardening: boolean;
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
    redact(sentence) {
      // A template is filled in only when it is rendered.
      const redactor = createRedactor();
      for (const value of talconfig.filledIn()) redactor.add(value);
      return redactor.redact(sentence);
    },
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
export function machineConfigFileName(talconfig: Talconfig, node: TalconfigNode, options: TemplateOptions = {}): string {
  return fillTemplate(
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

function some<K extends string, T, R>(key: K, value: T | undefined, read: (value: T | undefined) => R): { [P in K]?: R } {
  return (value === undefined ? {} : { [key]: read(value) }) as { [P in K]?: R };
}

type Value = Values[string];
const mapOf = (value: unknown): Values => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Values) : {});
const mapsOf = (value: unknown): Values[] =>
  Array.isArray(value) ? value.filter((item: Value) => typeof item === 'object' && item !== null && !Array.isArray(item)) : [];
const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []);
