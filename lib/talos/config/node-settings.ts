import { placeOf, type Span } from '../../base/index.ts';
import { isSwitchedOn, talosDefaults } from '../../upstream/tables.ts';
import { deviceRules } from './device-rules.ts';
import { diskExpression } from './disk-expression.ts';
import type { ConfigDocument } from './document.ts';
import { type DecodedValues, Draft } from './draft.ts';
import { talosConfigFailure } from './failures.ts';
import type { GeneratorInput, GeneratorNode } from './generate-request.ts';
import { type LostSetting, networkDocuments } from './network-documents.ts';
import { isTemplate } from './plain-source.ts';
import { type ConfigMap, type ConfigValue, isConfigMap } from './value.ts';

type Switch = Parameters<typeof isSwitchedOn>[0];

/** What a talconfig says about its cluster in the document without a kind; from 1.14 on it is said with each node. */
export function withClusterSettings(
  documents: readonly ConfigDocument[],
  cluster: GeneratorInput,
  declaredAt: Span,
  decoded: DecodedValues,
): readonly ConfigDocument[] {
  if (isSwitchedOn('kubernetesDocuments', cluster.contract)) return documents;
  const draft = new Draft(documents, cluster.contract, declaredAt, decoded);
  draft.set('cluster.network.cni', cluster.cni);
  draft.set('cluster.inlineManifests', nonEmpty(cluster.inlineManifests.map(({ name, contents }) => ({ name, contents }))));
  return draft.finished();
}

/**
 * What a talconfig says about a node, in the form of its contract.
 *
 * Failure: everything that the contract has no room for, at the node.
 */
export function withNodeSettings(
  documents: readonly ConfigDocument[],
  cluster: GeneratorInput,
  node: GeneratorNode,
  decoded: DecodedValues,
): { readonly documents: readonly ConfigDocument[]; readonly lost: readonly LostSetting[] } {
  const draft = new Draft(documents, cluster.contract, node.declaredAt, decoded);
  const isOn = (name: Switch) => isSwitchedOn(name, cluster.contract);
  const hasNetworkDocuments = isOn('networkDocuments');
  if (!hasNetworkDocuments) {
    if (!node.ignoreHostname) draft.set('machine.network.hostname', node.name);
    draft.set('machine.network.nameservers', nonEmpty(node.nameservers));
    if (node.disableSearchDomain) draft.set('machine.network.disableSearchDomain', true);
    draft.set('machine.network.interfaces', nonEmpty(node.networkInterfaces));
  }
  putInstall(draft, node, isOn);
  draft.set('machine.disks', nonEmpty(node.disks));
  draft.set('machine.files', nonEmpty(node.files));
  if (isOn('kernelModuleDocuments')) for (const module of node.kernelModules ?? []) draft.merge({ kind: 'KernelModuleConfig', ...module });
  else draft.set('machine.kernel.modules', nonEmpty(node.kernelModules));
  draft.append('machine.certSANs', node.certSans);
  putLabels(draft, node, isOn);
  if (isOn('kubernetesDocuments') && node.role === 'controlplane') putClusterDocuments(draft, cluster);
  if (hasNetworkDocuments) putNames(draft, node);
  if (node.ingressFirewall) {
    draft.merge({ kind: 'NetworkDefaultActionConfig', ingress: node.ingressFirewall['defaultAction'] ?? 'accept' });
    for (const rule of mapsOf(node.ingressFirewall['rules'])) draft.merge({ kind: 'NetworkRuleConfig', ...rule });
  }
  for (const service of node.extensionServices ?? []) draft.merge({ kind: 'ExtensionServiceConfig', ...service });
  for (const volume of node.volumes ?? []) draft.merge({ kind: 'VolumeConfig', ...volume });
  for (const volume of node.userVolumes ?? []) draft.merge({ kind: 'UserVolumeConfig', ...volume });
  const lost = hasNetworkDocuments ? putNetwork(draft, node) : [];
  return { documents: draft.finished(), lost };
}

function putInstall(draft: Draft, node: GeneratorNode, isOn: (name: Switch) => boolean): void {
  if (isOn('unattendedInstallDocument')) {
    const match = node.installDiskSelector
      ? diskExpression(node.installDiskSelector)
      : node.installDisk === undefined
        ? undefined
        : `disk.dev_path == ${JSON.stringify(node.installDisk)}`;
    if (match === undefined) return;
    // Where upstream puts it: after the identity, before the resolver.
    draft.insertBefore('ResolverConfig', {
      kind: 'UnattendedInstallConfig',
      installer: { image: node.installerImage },
      provisioning: { diskSelector: { match }, wipe: false },
    });
    return;
  }
  draft.set('machine.install.disk', node.installDisk);
  draft.set('machine.install.diskSelector', node.installDiskSelector);
  draft.set('machine.install.image', node.installerImage);
  if (!node.useUki && !isOn('grubUsesUkiCommandLine')) draft.append('machine.install.extraKernelArgs', node.extraKernelArgs);
}

function putLabels(draft: Draft, node: GeneratorNode, isOn: (name: Switch) => boolean): void {
  const labels = node.labels && withoutTemplates(node.labels);
  const annotations = node.annotations && withoutTemplates(node.annotations);
  if (!isOn('kubernetesDocuments')) {
    draft.set('machine.nodeLabels', labels);
    draft.set('machine.nodeAnnotations', annotations);
    draft.set('machine.nodeTaints', node.taints);
    return;
  }
  // Labels of the old form took the place of the generated one; only the role's own is not theirs to take.
  const nodeConfig = draft.find('KubeNodeConfig');
  if (nodeConfig && labels) {
    const role = node.role === 'controlplane' ? { 'node-role.kubernetes.io/control-plane': '' } : {};
    nodeConfig.value = { ...nodeConfig.value, labels: { ...role, ...texts(labels) } };
  }
  if (annotations) draft.merge({ kind: 'KubeNodeConfig', annotations });
  if (node.taints) draft.merge({ kind: 'KubeNodeConfig', taints: node.taints });
}

function putClusterDocuments(draft: Draft, { cni, inlineManifests }: GeneratorInput): void {
  if (cni) {
    draft.remove('KubeFlannelCNIConfig');
    const flannel = isConfigMap(cni['flannel']) ? cni['flannel'] : {};
    if (cni['name'] === 'flannel') {
      draft.merge({
        kind: 'KubeFlannelCNIConfig',
        backendType: talosDefaults.flannelBackend,
        backendPort: talosDefaults.flannelPort,
        ...(flannel['extraArgs'] === undefined ? {} : { extraArgs: flannel['extraArgs'] }),
        ...(flannel['kubeNetworkPoliciesEnabled'] === undefined
          ? {}
          : { kubeNetworkPoliciesEnabled: flannel['kubeNetworkPoliciesEnabled'] }),
      });
    }
    const urls = Array.isArray(cni['urls']) ? cni['urls'] : [];
    urls.forEach((url, index) =>
      draft.merge({ kind: 'KubeExternalManifestConfig', name: index === 0 ? 'custom-cni' : `custom-cni-${index + 1}`, url }),
    );
  }
  for (const { name, contents } of inlineManifests) draft.merge({ kind: 'KubeInlineManifestConfig', name, manifest: contents });
}

function putNames(draft: Draft, node: GeneratorNode): void {
  if (node.nameservers.length > 0 || node.disableSearchDomain) {
    draft.merge({
      kind: 'ResolverConfig',
      ...(node.nameservers.length > 0 ? { nameservers: node.nameservers.map((address) => ({ address })) } : {}),
      searchDomains: { disableDefault: node.disableSearchDomain },
    });
  }
  draft.merge({ kind: 'HostnameConfig', ...(node.ignoreHostname ? { auto: 'stable' } : { auto: 'off', hostname: node.name }) });
}

function putNetwork(draft: Draft, node: GeneratorNode): readonly LostSetting[] {
  const interfaces = node.networkInterfaces ?? [];
  // What Talos would say of the old form holds for the documents that are made of it.
  for (const rule of deviceRules({ interfaces: [...interfaces] })) {
    const facts = { document: 'networkInterfaces', rule };
    draft.failures.push(talosConfigFailure('talos-config/invalid', facts, { where: placeOf(node.declaredAt) }));
  }
  const { documents, lost } = networkDocuments(interfaces);
  for (const document of documents) draft.merge(document);
  return lost;
}

const templated = new WeakMap<ConfigMap, ConfigMap>();

/** The same map where there are none, so that what nodes share stays shared. */
function withoutTemplates(values: ConfigMap): ConfigMap {
  if (!Object.values(values).some(isTemplate)) return values;
  let result = templated.get(values);
  if (!result) {
    result = Object.fromEntries(Object.entries(values).filter(([, value]) => !isTemplate(value)));
    templated.set(values, result);
  }
  return result;
}

const texts = (values: ConfigMap): ConfigMap =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value ?? '')]));
const nonEmpty = <T extends ConfigValue>(values: readonly T[] | undefined): ConfigValue | undefined =>
  values && values.length > 0 ? (values as unknown as ConfigValue[]) : undefined;
const mapsOf = (value: ConfigValue | undefined) => (Array.isArray(value) ? value.filter((item) => isConfigMap(item)) : []);
