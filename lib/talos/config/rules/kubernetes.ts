import { endpointError } from '../../../format/index.ts';
import { parsePemBlocks } from '../../../base/index.ts';
import type { ConfigMap, ConfigValue } from '../value.ts';
import { networkFacts } from './bgp.ts';
import { annotationErrors, labelErrors, nestedList, subdomainError, taintErrors } from './labels.ts';
import { isEmpty, isSubnetOrAddress, map, named, number, quoted, type Rule, text, texts, urlParts, when } from './rule.ts';

/** Fields of the kubelet's configuration that Talos keeps to itself. Source: pkg/machinery/kubelet */
const protectedFields = [
  'apiVersion',
  'authentication',
  'authorization',
  'cgroupRoot',
  'kind',
  'kubeletCgroups',
  'port',
  'protectKernelDefaults',
  'resolvConf',
  'rotateCertificates',
  'systemCgroups',
  'staticPodPath',
];

export const overriddenFields = (config: ConfigValue | undefined): string[] =>
  protectedFields.flatMap((field) => when(field in map(config), `kubelet configuration field ${quoted(field)} can't be overridden`));

/** Source: ResourcesConfig.Validate */
function resources(value: ConfigMap, field = 'resources'): string[] {
  for (const part of ['requests', 'limits'])
    for (const key of Object.keys(map(map(value[field])[part])))
      if (key !== 'memory' && key !== 'cpu') return [`unsupported pod resource ${quoted(key)}`];
  return [];
}

/** Source: AssertValidPEM */
export function pemError(pem: string, expected?: string): string | undefined {
  const blocks = parsePemBlocks(pem);
  const other = blocks.find(({ label }) => expected !== undefined && label !== expected);
  if (other) return `unexpected PEM block type ${quoted(other.label)}, expected one of [${quoted(expected ?? '')}]`;
  return blocks.length === 0 ? 'no PEM blocks found' : undefined;
}

/** Source: CertificateAndKey.Validate */
export function pairError(pair: ConfigValue | undefined): string | undefined {
  const { cert, key } = map(pair);
  if (text(cert) === '') return 'certificate is required';
  if (text(key) === '') return 'key is required';
  const wrong = pemError(text(cert), 'CERTIFICATE');
  if (wrong) return `certificate: ${wrong}`;
  const wrongKey = pemError(text(key));
  return wrongKey && `key: ${wrongKey}`;
}

const acceptedAuthorities = (value: ConfigMap): string[] =>
  texts(value['acceptedCAs']).flatMap((authority, index) => {
    const wrong = pemError(authority, 'CERTIFICATE');
    return wrong ? [`accepted CA #${index}: ${wrong}`] : [];
  });

const issuing = (value: ConfigMap, missing?: string): string[] => {
  if (value['issuingCA'] === undefined) return missing === undefined ? [] : [missing];
  const wrong = pairError(value['issuingCA']);
  return wrong ? [`issuing CA: ${wrong}`] : [];
};

const deniedArguments: readonly (readonly [prefix: string, reason: string])[] = [
  [
    'oidc-signing-algs',
    'not supported with KubeAuthenticationConfig: kube-apiserver rejects --oidc-* flags when structured authentication configuration is used, and the configuration has no equivalent setting (all RFC 7518 asymmetric algorithms are accepted)',
  ],
  ['authorization-webhook-', 'use KubeAuthorizerConfig'],
  ['authentication-config', 'use KubeAuthenticationConfig'],
  ['authorization-config', 'use KubeAuthorizerConfig'],
  ['authorization-mode', 'use KubeAuthorizerConfig'],
  ['anonymous-auth', 'use KubeAuthenticationConfig'],
  ['oidc-', 'use KubeAuthenticationConfig'],
];

const argumentErrors = (value: ConfigMap): string[] =>
  Object.keys(map(value['extraArgs']))
    .sort()
    .flatMap((argument) => {
      const denied = deniedArguments.find(([prefix]) => argument.startsWith(prefix));
      return denied ? [`kube-apiserver extra argument ${quoted(argument)} is not allowed: ${denied[1]}`] : [];
    });

/** A component that is switched off is not looked at. */
const component =
  (label: string): Rule =>
  (value) =>
    value['enabled'] === false ? [] : [...when(text(value['image']) === '', `${label} image cannot be empty`), ...resources(value)];

const manifestName = (value: ConfigMap, what: string): string[] => {
  const name = text(value['name']);
  if (name === '') return [`${what} name is required`];
  const wrong = subdomainError(name);
  return wrong ? [`${what} name is invalid: ${wrong}`] : [];
};

/** Source: validateSubnets and what it calls */
function subnetsError(
  subnets: readonly string[],
  sizeError: (subnet: string, facts: NonNullable<ReturnType<typeof networkFacts>>) => string | undefined,
) {
  if (subnets.length === 0) return 'at least one subnet must be specified';
  if (subnets.length > 2) return 'at most two subnets can be specified for dual-stack clusters';
  const families: boolean[] = [];
  for (const subnet of subnets) {
    const facts = networkFacts(subnet);
    if (!facts) return 'invalid subnet: invalid Prefix';
    if (!facts.isMasked) return `invalid subnet: ${subnet} is not a valid CIDR`;
    if (facts.hostBits < 4) return `invalid subnet: /${facts.bits} is too small, it must be larger than /${facts.bits - 4}`;
    const wrong = sizeError(subnet, facts);
    if (wrong) return wrong;
    families.push(facts.isIpv4);
  }
  return families.length === 2 && families[0] === families[1]
    ? 'at most one IPv4 and one IPv6 subnet can be specified for dual-stack clusters'
    : undefined;
}

const network: Rule = (value) => {
  const [pods, services] = [texts(value['podSubnets']), texts(value['serviceSubnets'])];
  const mask4 = number(value['nodeCIDRMaskSizeIPv4']) || 24;
  const mask6 = number(value['nodeCIDRMaskSizeIPv6']) || 64;
  const [isMask4, isMask6] = [mask4 >= 1 && mask4 <= 32, mask6 >= 1 && mask6 <= 128];
  const wrongPods = subnetsError(pods, (subnet, { isIpv4, bits }) => {
    const mask = isIpv4 ? mask4 : mask6;
    if (!(isIpv4 ? isMask4 : isMask6)) return undefined;
    if (bits > mask) return `invalid subnet: ${subnet} is smaller than the per-node pod CIDR mask size /${mask}`;
    return mask - bits > 16
      ? `invalid subnet: ${subnet} is too large for the per-node pod CIDR mask size /${mask}, the difference must be at most 16 bits`
      : undefined;
  });
  const wrongServices = subnetsError(services, (subnet, { hostBits, bits }) =>
    hostBits > 20
      ? `invalid subnet: ${subnet} is too large, it must be at least /${hostBits + bits - 20} (at most 20 host identifier bits)`
      : undefined,
  );
  return [
    ...when(!isMask4, 'nodeCIDRMaskSizeIPv4 must be between 1 and 32'),
    ...when(!isMask6, 'nodeCIDRMaskSizeIPv6 must be between 1 and 128'),
    ...when(wrongPods !== undefined, `pod subnets: ${wrongPods}`),
    ...when(wrongServices !== undefined, `service subnets: ${wrongServices}`),
    ...when(pods.length !== services.length, 'the number of pod subnets must match the number of service subnets'),
  ];
};

export const roles: readonly string[] = [
  'os:admin',
  'os:operator',
  'os:reader',
  'os:etcd:backup',
  'os:image:verifier',
  'os:meta:writer',
  'os:impersonator',
];

/** Source: the Validate methods of pkg/machinery/config/types/k8s */
export const kubernetesRules: Readonly<Record<string, Rule>> = {
  KubeAPIServerCAConfig: (value) => [...issuing(value), ...acceptedAuthorities(value)],
  KubeAPIServerConfig: (value) => [
    ...when(text(value['image']) === '', 'kube-apiserver image cannot be empty'),
    ...argumentErrors(value),
    ...resources(value),
  ],
  KubeAdmissionControlConfig: (value) => named(value, 'admission control plugin name is required'),
  KubeAggregatorCAConfig: (value) => [...issuing(value, 'issuing CA is not set'), ...acceptedAuthorities(value)],
  KubeAuthorizerConfig: (value) => {
    const type = text(value['type']);
    return [
      ...named(value, 'authorizer name is required'),
      ...when(type === '', 'authorizer type is required'),
      ...when(!['Node', 'RBAC', 'Webhook'].includes(type), `authorizer type ${type} is not allowed, allowed types are [Node RBAC Webhook]`),
      ...when(type === 'Webhook' && isEmpty(value['webhook']), 'authorizer webhook configuration is required for Webhook authorizer type'),
    ];
  },
  KubeClusterConfig: (value) => {
    const endpoint = text(value['endpoint']);
    const wrong = endpointError(endpoint);
    return [
      ...when(text(value['clusterName']) === '', 'clusterName must be specified'),
      ...(endpoint === '' ? ['endpoint must be specified'] : when(wrong !== undefined, `cluster endpoint is invalid: ${wrong}`)),
    ];
  },
  KubeControllerManagerConfig: component('kube-controller-manager'),
  KubeEtcdEncryptionConfig: (value) => when(isEmpty(value['config']), 'etcd encryption config is required'),
  KubeExternalManifestConfig: (value) => {
    const url = text(value['url']);
    const { scheme } = urlParts(url);
    return [
      ...manifestName(value, 'manifest'),
      ...when(url === '', 'manifest URL is required'),
      ...when(url !== '' && !['http', 'https'].includes(scheme), `manifest URL scheme must be http or https: ${quoted(scheme)}`),
    ];
  },
  KubeFlannelCNIConfig: (value) => [
    ...when(text(value['backendType']) === '', 'flannel backend type must be specified'),
    ...resources(value),
  ],
  KubeInlineManifestConfig: (value) => manifestName(value, 'manifest'),
  KubeNetworkConfig: network,
  KubeNodeConfig: (value) => [
    ...texts(map(value['nodeIP'])['validSubnets'])
      .map((cidr) => cidr.replace(/^!/, ''))
      .flatMap((cidr) => when(!isSubnetOrAddress(cidr), `nodeIP subnet is not valid: ${quoted(cidr)}`)),
    ...nestedList('invalid node labels', labelErrors(map(value['labels']))),
    ...nestedList('invalid node annotations', annotationErrors(map(value['annotations']))),
    ...nestedList('invalid node taints', taintErrors(map(value['taints']))),
  ],
  KubePrismConfig: (value) => {
    const port = number(value['port']);
    return when(port <= 0 || port > 65_535, `invalid port ${port}: must be in range 1-65535`);
  },
  KubeProxyConfig: (value) => {
    const mode = text(value['mode']);
    return value['enabled'] === false
      ? []
      : [
          ...when(text(value['image']) === '', 'proxy image cannot be empty'),
          ...when(
            !['', 'nftables', 'iptables', 'ipvs'].includes(mode),
            `invalid proxy mode ${quoted(mode)}: supported modes are iptables, ipvs and nftables`,
          ),
          ...resources(value),
        ];
  },
  KubeSchedulerConfig: component('scheduler'),
  KubeServiceAccountConfig: (value) => {
    const issuer = map(value['issuer']);
    const key = text(issuer['privateKey']);
    return [
      ...(key === ''
        ? ['service issuer private key is required']
        : when(parsePemBlocks(key).length === 0, 'service issuer private key is invalid: failed to parse PEM block')),
      ...when(text(issuer['issuerURL']) === '', 'service issuer URL is required'),
    ];
  },
  KubeStaticPodConfig: (value) => [...manifestName(value, 'static pod'), ...when(isEmpty(value['pod']), 'static pod spec is required')],
  KubeTalosAPIAccessConfig: (value) =>
    texts(value['allowedRoles']).flatMap((role) => when(!roles.includes(role), `invalid role ${quoted(role)} in .allowedRoles`)),
  KubeletConfig: (value) => [...when(text(value['image']) === '', 'kubelet image cannot be empty'), ...overriddenFields(value['config'])],
};

/** Documents that only a control plane may have. Source: ControlplaneOnlyDocument */
export const controlPlaneKinds: ReadonlySet<string> = new Set([
  'KubeCoreDNSConfig',
  'KubeAuditPolicyConfig',
  'KubeAggregatorCAConfig',
  'KubeEtcdEncryptionConfig',
  'KubeFlannelCNIConfig',
  'KubeControllerManagerConfig',
  'KubeAdmissionControlConfig',
  'KubeServiceAccountConfig',
  'KubeAuthenticationConfig',
  'KubeAuthorizerConfig',
  'KubeAPIServerConfig',
  'KubeTalosAPIAccessConfig',
  'KubeProxyConfig',
  'KubeSchedulerConfig',
]);
