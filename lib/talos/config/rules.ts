import { deviceRules } from './device-rules.ts';
import { bytesOf, isAddress } from './scalars.ts';
import { type ConfigMap, type ConfigValue, isConfigMap } from './value.ts';

export interface RuleContext {
  readonly isControlPlane: boolean;
}

/** Sentences of the node, in its order; empty when the document is valid. */
export type Rule = (value: ConfigMap, context: RuleContext) => readonly string[];

const text = (value: ConfigValue | undefined): string => (typeof value === 'string' ? value : '');
const maps = (value: ConfigValue | undefined): ConfigMap[] => (Array.isArray(value) ? value.filter((item) => isConfigMap(item)) : []);
const map = (value: ConfigValue | undefined): ConfigMap => (isConfigMap(value) ? value : {});
const count = (value: ConfigValue | undefined): number => (Array.isArray(value) ? value.length : 0);
const named = (value: ConfigMap, sentence = 'name must be specified') => (text(value['name']) === '' ? [sentence] : []);

/** Source: CommonLinkConfig.Validate in pkg/machinery/config/types/network/link.go */
const link: Rule = (value) => [
  ...maps(value['addresses']).flatMap(({ address }, index) => {
    if (text(address) === '') return [`address ${index} must be specified`];
    return /^(?:0\.0\.0\.0|::)\//.test(text(address)) ? [`address ${index} must be a valid IP address`] : [];
  }),
  ...maps(value['routes']).flatMap((route, index) => [
    ...(/^(?:0\.0\.0\.0|::)\//.test(text(route['destination'])) ? [`route ${index} destination must be a valid IP prefix`] : []),
    ...(['0.0.0.0', '::'].includes(text(route['gateway'])) ? [`route ${index} gateway must be a valid IP address`] : []),
    ...(['0.0.0.0', '::'].includes(text(route['source'])) ? [`route ${index} source must be a valid IP address`] : []),
  ]),
];

const encryption: Rule = (value) => {
  const spec = map(value['encryption']);
  if (Object.keys(spec).length === 0) return [];
  const keys = maps(spec['keys']);
  const sentences =
    (text(spec['provider']) || 'none') === 'luks2' ? [] : [`unsupported encryption provider: ${text(spec['provider']) || 'none'}`];
  if (keys.length === 0) sentences.push('encryption keys are required');
  const slots = new Set<number>();
  for (const key of keys) {
    const slot = Number(key['slot'] ?? 0);
    if (slots.has(slot)) sentences.push(`duplicate key slot ${slot}`);
    slots.add(slot);
    if (!['static', 'nodeID', 'kms', 'tpm'].some((kind) => key[kind] !== undefined))
      sentences.push(`at least one encryption key type must be specified for slot ${slot}`);
  }
  return sentences;
};

/** Selectors and sizes of a volume that somebody asks for. */
const provisioning = (value: ConfigMap, isRequired: boolean): string[] => {
  const spec = map(value['provisioning']);
  const sentences: string[] = [];
  const minimum = text(spec['minSize']);
  const maximum = text(spec['maxSize']);
  if (isRequired && text(map(spec['diskSelector'])['match']) === '') sentences.push('disk selector is required');
  const isRelative = maximum.includes('%') || maximum.startsWith('-');
  if (minimum !== '' && maximum !== '' && !isRelative && (bytesOf(minimum) ?? 0) > (bytesOf(maximum) ?? 0))
    sentences.push('min size is greater than max size');
  else if (isRequired && minimum === '' && maximum === '') sentences.push('min size or max size is required');
  if (minimum.startsWith('-')) sentences.push('min size cannot be negative');
  return sentences;
};

const userVolume: Rule = (value) => {
  const name = text(value['name']);
  const sentences = name === '' ? ['name is required'] : [];
  if (name.length < 1 || name.length > 34) sentences.push('name must be between 1 and 34 characters long');
  if (/[^A-Za-z0-9-]/.test(name)) sentences.push('name can only contain lowercase and uppercase ASCII letters, digits, and hyphens');
  if (value['volumeType'] === 'directory') {
    for (const [key, label] of [
      ['provisioning', 'provisioning'],
      ['encryption', 'encryption'],
      ['filesystem', 'filesystem'],
    ] as const) {
      if (Object.keys(map(value[key])).length > 0) sentences.push(`${label} spec is invalid for volumeType directory`);
    }
    return sentences;
  }
  if (value['volumeType'] === undefined || value['volumeType'] === 'partition') sentences.push(...provisioning(value, true));
  const filesystem = text(map(value['filesystem'])['type']);
  if (filesystem !== '' && !['xfs', 'ext4', 'btrfs'].includes(filesystem)) sentences.push(`unsupported filesystem type: ${filesystem}`);
  return [...sentences, ...encryption(value, { isControlPlane: false })];
};

const hostname: Rule = (value) => {
  const auto = text(value['auto']);
  const name = text(value['hostname']);
  const sentences: string[] = [];
  if (auto === '' && name === '') sentences.push("either 'auto' or 'hostname' must be set");
  if (auto !== '' && auto !== 'off' && name !== '') sentences.push("'auto' and 'hostname' cannot be set at the same time");
  if (auto === 'talos-addr') sentences.push("invalid value for 'auto': talos-addr");
  if (name !== '') {
    if (name.length > 253) sentences.push(`fqdn is too long: ${name.length}`);
    const [first = ''] = name.split('.');
    if (first.length === 0 || first.length > 63) sentences.push(`invalid hostname ${JSON.stringify(first)}`);
  }
  return sentences;
};

const ports: Rule = (value) => {
  const list = map(value['portSelector'])['ports'];
  if (text(value['name']) === '') return ['name is required'];
  if (count(list) === 0) return ['portSelector.ports is required'];
  const ranges = (Array.isArray(list) ? list : [])
    .map((one) => String(one).split('-').map(Number))
    .map(([low = 0, high = low]) => ({ low, high }));
  ranges.sort((a, b) => a.low - b.low);
  for (const [index, range] of ranges.entries()) {
    const before = ranges[index - 1];
    if (range.low > range.high) return [`invalid port range: ${range.low}-${range.high}`];
    if (before && range.low <= before.high)
      return [`invalid port range: ${range.low}-${range.high}, overlaps with ${before.low}-${before.high}`];
  }
  return [];
};

/** Source: the Validate methods of pkg/machinery/config/types */
export const documentRules: Readonly<Record<string, Rule>> = {
  HostnameConfig: hostname,
  LinkConfig: (value, context) => [...named(value), ...link(value, context)],
  DummyLinkConfig: (value, context) => [...named(value), ...link(value, context)],
  DHCPv4Config: (value) => named(value),
  DHCPv6Config: (value) => named(value),
  BondConfig: (value, context) => [
    ...named(value),
    ...(count(value['links']) === 0 ? ['at least one link must be specified'] : []),
    ...(value['bondMode'] === undefined ? ['bond mode must be specified'] : []),
    ...link(value, context),
  ],
  BridgeConfig: (value, context) => [...named(value), ...link(value, context)],
  VLANConfig: (value, context) => [
    ...named(value),
    ...(Number(value['vlanID'] ?? 0) < 1 || Number(value['vlanID']) > 4094 ? ['vlanID must be specified and between 1 and 4094'] : []),
    ...(text(value['parent']) === '' ? ['parent must be specified'] : []),
    ...link(value, context),
  ],
  WireguardConfig: (value, context) => [
    ...named(value),
    ...(text(value['privateKey']) === '' ? ['wireguard private key must be specified'] : []),
    ...maps(value['peers']).flatMap((peer, index) =>
      text(peer['publicKey']) === '' ? [`wireguard peer public key must be specified (peer index ${index})`] : [],
    ),
    ...link(value, context),
  ],
  Layer2VIPConfig: (value) => [
    ...named(value),
    ...(text(value['name']) !== '' && !isAddress(text(value['name']))
      ? [`name must be a valid IP address: ParseAddr(${JSON.stringify(text(value['name']))}): unable to parse IP`]
      : []),
    ...(text(value['link']) === '' ? ['link must be specified'] : []),
  ],
  LinkAliasConfig: (value) => [...named(value), ...(text(map(value['selector'])['match']) === '' ? ['link selector is required'] : [])],
  StaticHostConfig: (value) => [
    ...(text(value['name']) === '' ? ['name is required'] : isAddress(text(value['name'])) ? [] : ['name must be a valid IP address']),
    ...(count(value['hostnames']) === 0 ? ['at least one hostname is required'] : []),
  ],
  NetworkRuleConfig: ports,
  ResolverConfig: (value) => {
    const dns = map(value['hostDNS']);
    const isOff = Object.keys(dns).length > 0 && dns['enabled'] !== true;
    return [
      ...(isOff && dns['forwardKubeDNSToHost'] === true
        ? ['hostDNS.forwardKubeDNSToHost cannot be enabled when hostDNS.enabled is false']
        : []),
      ...(isOff && dns['resolveMemberNames'] === true
        ? ['hostDNS.resolveMemberNames cannot be enabled when hostDNS.enabled is false']
        : []),
      ...maps(value['nameservers']).flatMap((server, index) => {
        if (text(server['address']) === '') return [`nameserver address must be a valid IP: entry ${index}`];
        const protocol = text(server['protocol']) || 'Do53';
        const hasName = text(server['tlsServerName']) !== '';
        if (protocol === 'Do53') return hasName ? [`tlsServerName must be empty when protocol is Do53: entry ${index}`] : [];
        return hasName ? [] : [`tlsServerName must be set when protocol is ${protocol}: entry ${index}`];
      }),
    ];
  },
  TimeSyncConfig: (value) =>
    value['ntp'] !== undefined && value['ptp'] !== undefined ? ['only one of ntp or ptp configuration can be specified'] : [],
  UserVolumeConfig: userVolume,
  RawVolumeConfig: (value) => [
    ...named(value, 'name is required'),
    ...provisioning(value, true),
    ...encryption(value, { isControlPlane: false }),
  ],
  SwapVolumeConfig: (value) => [
    ...named(value, 'name is required'),
    ...provisioning(value, true),
    ...encryption(value, { isControlPlane: false }),
  ],
  VolumeConfig: (value, context) => [
    ...(text(value['name']) === 'STATE' && Object.keys(map(value['provisioning'])).length > 0
      ? ['provisioning config is not allowed for the "STATE" volume']
      : []),
    ...provisioning(value, false),
    ...encryption(value, context),
  ],
  ExtensionServiceConfig: (value) => {
    const name = text(value['name']);
    if (name === '') return ['name is required'];
    if (count(value['configFiles']) === 0 && count(value['environment']) === 0)
      return [
        `no config files found for extension ${JSON.stringify(name)}`,
        `no environment defined for extension ${JSON.stringify(name)}`,
      ].slice(0, 1);
    for (const file of maps(value['configFiles'])) {
      if (text(file['content']) === '') return [`extension content is required for extension ${JSON.stringify(name)}`];
      if (text(file['mountPath']) === '') return [`extension mount path is required for extension ${JSON.stringify(name)}`];
    }
    return [];
  },
  UnattendedInstallConfig: (value) =>
    text(map(map(value['provisioning'])['diskSelector'])['match']) === '' ? ['provisioning.diskSelector.match is required'] : [],
  WatchdogTimerConfig: (value) => (text(value['device']) === '' ? ['watchdog device: empty value'] : []),
  KmsgLogConfig: (value) => {
    if (text(value['name']) === '') return ['name is required'];
    const url = text(value['url']);
    if (url === '') return ['url is required'];
    if (!/^(?:tcp|udp):\/\//.test(url)) return ['url scheme must be tcp:// or udp://'];
    if (!/^\w+:\/\/[^/]+\/?$/.test(url)) return ['url path must be empty'];
    return /:\d+\/?$/.test(url) ? [] : ['url port is required'];
  },
  KubeClusterConfig: (value) => [
    ...(text(value['clusterName']) === '' ? ['clusterName must be specified'] : []),
    ...(text(value['endpoint']) === '' ? ['endpoint must be specified'] : []),
  ],
  KubeletConfig: (value) => (text(value['image']) === '' ? ['kubelet image cannot be empty'] : []),
  KubeAPIServerConfig: (value) => (text(value['image']) === '' ? ['kube-apiserver image cannot be empty'] : []),
  KubeNetworkConfig: (value) =>
    count(value['podSubnets']) === count(value['serviceSubnets'])
      ? []
      : ['the number of pod subnets must match the number of service subnets'],
  KubeEtcdEncryptionConfig: (value) => (Object.keys(map(value['config'])).length === 0 ? ['etcd encryption config is required'] : []),
  KubeAdmissionControlConfig: (value) => (text(value['name']) === '' ? ['admission control plugin name is required'] : []),
  DiscoveryIdentityConfig: (value) => {
    if (text(value['clusterID']) === '') return ['clusterID is required'];
    return text(value['clusterSecret']) === '' ? ['clusterSecret is required'] : [];
  },
  RegistryMirrorConfig: (value) => [
    ...named(value),
    ...maps(value['endpoints']).flatMap(({ url }, index) => (text(url) === '' ? [`endpoints[${index}].url must be specified`] : [])),
  ],
};

/** Source: pkg/machinery/config/types/v1alpha1/v1alpha1_validation.go */
export const legacyRule: Rule = (root) => {
  if (!isConfigMap(root['machine'])) return ['machine instructions are required'];
  const machine = root['machine'];
  const type = text(machine['type']);
  const isControlPlane = type === 'controlplane' || type === 'init';
  return [
    ...clusterRule(root['cluster'], isControlPlane),
    ...installRule(machine),
    ...(map(map(machine['features'])['hostDNS'])['forwardKubeDNSToHost'] === true &&
    map(map(machine['features'])['hostDNS'])['enabled'] !== true
      ? ['feature hostDNS.forwardKubeDNSToHost requires hostDNS.enabled to be true (.machine.features.hostDNS)']
      : []),
    ...authorityRule(root, machine, type, isControlPlane),
    ...(isConfigMap(machine['network']) ? deviceRules(machine['network']) : []),
    ...maps(machine['disks']).flatMap((disk) =>
      maps(disk['partitions'])
        .slice(0, -1)
        .some((partition) => partition['size'] === undefined || partition['size'] === 0)
        ? [
            `partition for disk ${JSON.stringify(text(disk['device']))} is set to occupy full disk, but it's not the last partition in the list`,
          ]
        : [],
    ),
    ...(!isControlPlane && map(map(machine['features'])['kubernetesTalosAPIAccess'])['enabled'] === true
      ? ['feature Kubernetes Talos API Access can only be enabled on control plane machines']
      : []),
    ...(root['persist'] === false ? ['.persist should be enabled'] : []),
  ];
};

function clusterRule(value: ConfigValue | undefined, isControlPlane: boolean): string[] {
  if (!isConfigMap(value)) return ['cluster instructions are required'];
  const sentences: string[] = [];
  const controlPlane = value['controlPlane'];
  const endpoint = text(map(controlPlane)['endpoint']);
  if (isConfigMap(controlPlane) && endpoint === '') {
    return [
      'cluster controlplane endpoint is required (.cluster.controlPlane.endpoint); when the endpoint is migrated to the KubeClusterConfig document, the whole .cluster.controlPlane section should be removed (.cluster.controlPlane.localAPIServerPort is migrated to the KubeAPIServerConfig document)',
    ];
  }
  if (endpoint !== '' && !/^https:\/\/./.test(endpoint)) sentences.push(`invalid controlplane endpoint: url scheme must be https`);
  if (value['etcd'] !== undefined && !isControlPlane) sentences.push('etcd config is only allowed on control plane machines');
  if (!isControlPlane && text(map(value['ca'])['key']) !== '')
    sentences.push('cluster CA key is not allowed on non-controlplane nodes (.cluster.ca)');
  const names = new Set<string>();
  for (const manifest of maps(value['inlineManifests'])) {
    const name = text(manifest['name']);
    if (name === '') sentences.push("inline manifest name can't be empty");
    if (names.has(name)) sentences.push(`inline manifest name ${JSON.stringify(name)} is duplicate`);
    names.add(name);
  }
  if (map(value['discovery'])['enabled'] === true) {
    const service = map(map(map(value['discovery'])['registries'])['service']);
    if (service['disabled'] !== true) {
      if (text(value['id']) === '') sentences.push('cluster discovery service requires .cluster.id');
      if (text(value['secret']) === '') sentences.push('cluster discovery service requires .cluster.secret');
    }
  }
  return sentences;
}

function installRule(machine: ConfigMap): string[] {
  if (!isConfigMap(machine['install'])) return [];
  const install = machine['install'];
  return [
    ...(text(install['disk']) === '' && !isConfigMap(install['diskSelector'])
      ? ['either install disk or diskSelector should be defined']
      : []),
    ...(count(install['extraKernelArgs']) > 0 && install['grubUseUKICmdline'] === true
      ? ["install.extraKernelArgs and install.grubUseUKICmdline can't be used together"]
      : []),
  ];
}

function authorityRule(root: ConfigMap, machine: ConfigMap, type: string, isControlPlane: boolean): string[] {
  const ca = isConfigMap(machine['ca']) ? machine['ca'] : undefined;
  const sentences =
    ca || count(machine['acceptedCAs']) > 0 ? [] : ['issuing CA or some accepted CAs are required (.machine.ca, machine.acceptedCAs)'];
  if (isControlPlane) {
    if (!ca) sentences.push('issuing CA is required (.machine.ca)');
    else if (text(ca['key']) === '') sentences.push('issuing CA key is required for controlplane nodes (.machine.ca.key)');
    return sentences;
  }
  if (type !== 'worker') return [...sentences, `unknown machine type ${JSON.stringify(type)}`];
  for (const device of maps(map(machine['network'])['interfaces'])) {
    for (const holder of [device, ...maps(device['vlans'])])
      if (holder['vip'] !== undefined) sentences.push('virtual (shared) IP is not allowed on non-controlplane nodes');
  }
  if (ca && text(ca['key']) !== '') sentences.push('issuing Talos API CA key is not allowed on non-controlplane nodes (.machine.ca)');
  if (ca && text(ca['crt']) === '' && count(machine['acceptedCAs']) === 0) {
    sentences.push('trusted CA certificates are required on non-controlplane nodes (.machine.ca.crt, .machine.acceptedCAs)');
  }
  if (text(map(map(root['cluster'])['ca'])['key']) !== '')
    sentences.push('issuing Kubernetes API CA key is not allowed on non-controlplane nodes (.cluster.ca)');
  return sentences;
}
