import { deviceRules } from '../device-rules.ts';
import { endpointError, isPrefix } from '../../../format/index.ts';
import { type ConfigMap, type ConfigValue, isConfigMap } from '../value.ts';
import { overriddenFields, roles } from './kubernetes.ts';
import { annotationErrors, labelErrors, nestedList, taintErrors } from './labels.ts';
import {
  count,
  isEmpty,
  isSubnetOrAddress,
  map,
  maps,
  number,
  quoted,
  type Rule,
  type RuleContext,
  since,
  text,
  texts,
  urlParts,
  when,
} from './rule.ts';

/** What a node says of the document without a kind. Source: pkg/machinery/config/types/v1alpha1/v1alpha1_validation.go */
export const legacyRule: Rule = (root, context) => {
  if (!isConfigMap(root['machine'])) return ['machine instructions are required'];
  const machine = root['machine'];
  const features = map(machine['features']);
  const dns = map(features['hostDNS']);
  const type = text(machine['type']);
  const hasInstall = isConfigMap(machine['install']);
  return [
    ...clusterRule(root['cluster'], context),
    ...when(!hasInstall && !since(context, '1.14'), 'install instructions are required in "metal" mode'),
    ...installRule(machine),
    ...when(
      since(context, '1.13') && dns['forwardKubeDNSToHost'] === true && dns['enabled'] !== true,
      'feature hostDNS.forwardKubeDNSToHost requires hostDNS.enabled to be true (.machine.features.hostDNS)',
    ),
    ...authorityRule(root, machine, type, context),
    ...(isConfigMap(machine['network']) ? [...deviceRules(machine['network']), ...kubeSpanMtu(machine['network'])] : []),
    ...maps(machine['disks']).flatMap((disk) =>
      when(
        maps(disk['partitions'])
          .slice(0, -1)
          .some((partition) => partition['size'] === undefined || partition['size'] === 0),
        `partition for disk ${quoted(text(disk['device']))} is set to occupy full disk, but it's not the last partition in the list`,
      ),
    ),
    ...kubeletRule(machine['kubelet']),
    ...encryptionRule(map(machine['systemDiskEncryption'])),
    ...kubeSpanRule(root, machine, context),
    ...extensionRule(machine),
    ...nestedList('invalid machine node labels', labelErrors(map(machine['nodeLabels']))),
    ...nestedList('invalid machine node annotations', annotationErrors(map(machine['nodeAnnotations']))),
    ...nestedList('invalid machine node taints', taintErrors(map(machine['nodeTaints']))),
    ...accessRule(features['kubernetesTalosAPIAccess'], context),
    ...when(root['persist'] === false, '.persist should be enabled'),
  ];
};

function clusterRule(value: ConfigValue | undefined, context: RuleContext): string[] {
  if (!isConfigMap(value)) return ['cluster instructions are required'];
  const sentences: string[] = [];
  const endpoint = text(map(value['controlPlane'])['endpoint']);
  if (since(context, '1.14')) {
    if (isConfigMap(value['controlPlane']) && endpoint === '')
      return [
        'cluster controlplane endpoint is required (.cluster.controlPlane.endpoint); when the endpoint is migrated to the KubeClusterConfig document, the whole .cluster.controlPlane section should be removed (.cluster.controlPlane.localAPIServerPort is migrated to the KubeAPIServerConfig document)',
      ];
  } else if (endpoint === '') return ['cluster controlplane endpoint is required'];
  const wrong = endpoint === '' ? undefined : endpointError(endpoint);
  sentences.push(...when(wrong !== undefined, `invalid controlplane endpoint: ${wrong}`));
  if (since(context, '1.14') && value['serviceAccount'] !== undefined && endpoint === '')
    sentences.push(
      '.cluster.serviceAccount requires the cluster endpoint to be set in the same document (.cluster.controlPlane.endpoint); when the cluster endpoint is migrated to the KubeClusterConfig document, .cluster.serviceAccount should be migrated to the KubeServiceAccountConfig document as well',
    );
  const domain = text(map(value['network'])['dnsDomain']);
  const isName = /^\w[\w-]{0,62}(?:\.\w[\w-]{0,62})*[._]?$/.test(domain) && domain.replaceAll('.', '').length <= 255;
  sentences.push(...when(domain !== '' && !isName, `${quoted(domain)} is not a valid DNS name`));
  sentences.push(...cloudProvider(value['externalCloudProvider']));
  if (value['etcd'] !== undefined)
    sentences.push(...(context.isControlPlane ? etcdRule(map(value['etcd'])) : ['etcd config is only allowed on control plane machines']));
  if (!context.isControlPlane && text(map(value['ca'])['key']) !== '')
    sentences.push('cluster CA key is not allowed on non-controlplane nodes (.cluster.ca)');
  return [...sentences, ...inlineManifests(value), ...discoveryRule(value), ...podResources(value)];
}

function cloudProvider(value: ConfigValue | undefined): string[] {
  const manifests = texts(map(value)['manifests']);
  if (map(value)['enabled'] !== true) return when(manifests.length > 0, 'external cloud provider is disabled, but manifests are provided');
  return manifests.flatMap((url) => {
    const wrong = endpointError(url);
    return when(wrong !== undefined, `invalid external cloud provider manifest url ${quoted(url)}: ${wrong}`);
  });
}

const badSubnets = (list: ConfigValue | undefined, what: string): string[] =>
  texts(list)
    .map((cidr) => cidr.replace(/^!/, ''))
    .flatMap((cidr) => when(!isSubnetOrAddress(cidr), `${what} is not valid: ${quoted(cidr)}`));

function etcdRule(etcd: ConfigMap): string[] {
  const subnet = text(etcd['subnet']);
  const advertised = etcd['advertisedSubnets'];
  return [
    ...when(etcd['ca'] === undefined, 'key/cert combination should not be empty'),
    ...when(subnet !== '' && count(advertised) > 0, "etcd subnet can't be set when advertised subnets are set"),
    ...badSubnets(count(advertised) > 0 ? advertised : subnet === '' ? [] : [subnet], 'etcd advertised subnet'),
    ...badSubnets(
      count(etcd['listenSubnets']) > 0 ? etcd['listenSubnets'] : count(advertised) > 0 ? advertised : subnet === '' ? [] : [subnet],
      'etcd listen subnet',
    ),
  ];
}

function inlineManifests(cluster: ConfigMap): string[] {
  const names = new Set<string>();
  return maps(cluster['inlineManifests']).flatMap((manifest) => {
    const name = text(manifest['name']);
    const isTaken = names.has(name);
    names.add(name);
    return [
      ...when(name.trim() === '', "inline manifest name can't be empty"),
      ...when(isTaken, `inline manifest name ${quoted(name)} is duplicate`),
    ];
  });
}

function discoveryRule(cluster: ConfigMap): string[] {
  const discovery = map(cluster['discovery']);
  const service = map(map(discovery['registries'])['service']);
  if (discovery['enabled'] !== true || service['disabled'] === true) return [];
  const endpoint = text(service['endpoint']) || 'https://discovery.talos.dev/';
  const { scheme, path } = urlParts(endpoint);
  return [
    ...(scheme === '' && !endpoint.startsWith('/')
      ? [`cluster discovery service registry endpoint is invalid: parse ${quoted(endpoint)}: invalid URI for request`]
      : when(path !== '' && path !== '/', 'cluster discovery service path should be empty')),
    ...when(text(cluster['id']) === '', 'cluster discovery service requires .cluster.id'),
    ...when(text(cluster['secret']) === '', 'cluster discovery service requires .cluster.secret'),
  ];
}

/** Source: ResourcesConfig.Validate of the document without a kind */
function podResources(cluster: ConfigMap): string[] {
  for (const component of ['apiServer', 'controllerManager', 'scheduler'])
    for (const part of ['requests', 'limits'])
      for (const key of Object.keys(map(map(map(cluster[component])['resources'])[part])))
        if (key !== 'memory' && key !== 'cpu') return [`unsupported pod resource ${quoted(key)}`];
  return [];
}

function installRule(machine: ConfigMap): string[] {
  if (!isConfigMap(machine['install'])) return [];
  const install = machine['install'];
  return [
    ...when(text(install['disk']) === '' && isEmpty(install['diskSelector']), 'either install disk or diskSelector should be defined'),
    ...when(
      count(install['extraKernelArgs']) > 0 && install['grubUseUKICmdline'] === true,
      "install.extraKernelArgs and install.grubUseUKICmdline can't be used together",
    ),
  ];
}

function authorityRule(root: ConfigMap, machine: ConfigMap, type: string, context: RuleContext): string[] {
  const ca = isConfigMap(machine['ca']) ? machine['ca'] : undefined;
  const hasAccepted = count(machine['acceptedCAs']) > 0;
  const sentences = when(!ca && !hasAccepted, 'issuing CA or some accepted CAs are required (.machine.ca, machine.acceptedCAs)');
  if (context.isControlPlane) {
    sentences.push(...cniRule(root, context));
    if (!ca) sentences.push('issuing CA is required (.machine.ca)');
    else if (text(ca['key']) === '') sentences.push('issuing CA key is required for controlplane nodes (.machine.ca.key)');
    return sentences;
  }
  if (type !== 'worker') return [...sentences, `unknown machine type ${quoted(type)}`];
  for (const device of maps(map(machine['network'])['interfaces']))
    for (const holder of [device, ...maps(device['vlans'])])
      if (holder['vip'] !== undefined) sentences.push('virtual (shared) IP is not allowed on non-controlplane nodes');
  if (ca && text(ca['key']) !== '') sentences.push('issuing Talos API CA key is not allowed on non-controlplane nodes (.machine.ca)');
  if (ca && text(ca['crt']) === '' && !hasAccepted)
    sentences.push('trusted CA certificates are required on non-controlplane nodes (.machine.ca.crt, .machine.acceptedCAs)');
  if (text(map(map(root['cluster'])['ca'])['key']) !== '')
    sentences.push('issuing Kubernetes API CA key is not allowed on non-controlplane nodes (.cluster.ca)');
  return sentences;
}

/** Source: ValidateCNI */
function cniRule(root: ConfigMap, context: RuleContext): string[] {
  const network = map(root['cluster'])['network'];
  if (!isConfigMap(network) && since(context, '1.14')) return [];
  const cni = map(map(network)['cni']);
  const name = map(network)['cni'] === undefined ? 'flannel' : text(cni['name']);
  const [urls, flannel] = [texts(cni['urls']), map(cni['flannel'])];
  const at = `for ${quoted(name)} CNI`;
  const noUrls = when(urls.length > 0, `"urls" field should be empty ${at}`);
  const noFlannel = [
    ...when(count(flannel['extraArgs']) > 0, `"flanneldExtraArgs" field should be empty ${at}`),
    ...when(flannel['kubeNetworkPoliciesEnabled'] === true, `"flannelKubeNetworkPoliciesEnabled" should not be enabled ${at}`),
  ];
  if (name === 'flannel') return noUrls;
  if (name === 'none') return [...noUrls, ...noFlannel];
  if (name === 'custom') return [...noFlannel, ...urls.flatMap((url) => endpointError(url) ?? [])];
  return ['cni name should be one of ["flannel", "custom", "none"]'];
}

function kubeletRule(value: ConfigValue | undefined): string[] {
  if (!isConfigMap(value)) return [];
  return [...badSubnets(map(value['nodeIP'])['validSubnets'], 'kubelet nodeIP subnet'), ...overriddenFields(value['extraConfig'])];
}

function encryptionRule(encryption: ConfigMap): string[] {
  return [
    ['EPHEMERAL', 'ephemeral'],
    ['STATE', 'state'],
  ].flatMap(([label = '', field = '']) => {
    if (!isConfigMap(encryption[field])) return [];
    const keys = maps(encryption[field]['keys']);
    const slots = new Set<number>();
    return [
      ...when(keys.length === 0, `partition ${quoted(label)}: no encryption keys provided`),
      ...keys.flatMap((key) => {
        const slot = number(key['slot']);
        const isTaken = slots.has(slot);
        slots.add(slot);
        const hasKind = ['static', 'nodeID', 'kms', 'tpm'].some((kind) => key[kind] !== undefined);
        return [
          ...when(isTaken, `partition ${quoted(label)}: encryption key slot ${slot} is already in use`),
          ...when(!hasKind, `partition ${quoted(label)}: encryption key at slot ${slot} doesn't have the configuration parameters`),
        ];
      }),
    ];
  });
}

const kubeSpanMtu = (network: ConfigMap): string[] => {
  const kubeSpan = map(network['kubespan']);
  const isTooSmall = kubeSpan['enabled'] === true && kubeSpan['mtu'] !== undefined && number(kubeSpan['mtu']) < 1280;
  return when(isTooSmall, 'kubespan link MTU must be at least 1280');
};

function kubeSpanRule(root: ConfigMap, machine: ConfigMap, context: RuleContext): string[] {
  const kubeSpan = map(map(machine['network'])['kubespan']);
  if (kubeSpan['enabled'] !== true) return [];
  const cluster = map(root['cluster']);
  const filters = map(kubeSpan['filters']);
  const at = 'when .machine.network.kubespan is enabled';
  return [
    ...(since(context, '1.14')
      ? []
      : [
          ...when(map(cluster['discovery'])['enabled'] !== true, `.cluster.discovery should be enabled ${at}`),
          ...when(text(cluster['id']) === '', `.cluster.id should be set ${at}`),
          ...when(text(cluster['secret']) === '', `.cluster.secret should be set ${at}`),
        ]),
    ...badSubnets(filters['endpoints'], 'KubeSpan endpoint filter'),
    ...texts(filters['excludeAdvertisedNetworks']).flatMap((cidr) =>
      when(!isPrefix(cidr), `KubeSpan exclude advertised networks filter is not valid: ${quoted(cidr)}`),
    ),
  ];
}

function extensionRule(machine: ConfigMap): string[] {
  const images = new Set<string>();
  return maps(map(machine['install'])['extensions']).flatMap((extension) => {
    const image = text(extension['image']);
    const isTaken = images.has(image);
    images.add(image);
    return when(isTaken, `duplicate system extension ${quoted(image)}`);
  });
}

function accessRule(value: ConfigValue | undefined, context: RuleContext): string[] {
  if (map(value)['enabled'] !== true) return [];
  return [
    ...when(!context.isControlPlane, 'feature Kubernetes Talos API Access can only be enabled on control plane machines'),
    ...texts(map(value)['allowedRoles']).flatMap((role) =>
      when(!roles.includes(role), `invalid role ${quoted(role)} in allowed roles for Kubernetes Talos API Access`),
    ),
  ];
}
