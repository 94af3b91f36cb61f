import { Buffer } from 'node:buffer';
import { TkError } from '../../base/index.ts';
import { type ContractSwitch, isSwitchedOn, machineConfigSchema, talosDefaults, type TalosMinor } from '../../upstream/tables.ts';
import { admission, auditPolicy, authentication, podSecurity } from './base-kubernetes.ts';
import type { ConfigDocument } from './document.ts';
import { talosConfigFailure } from './failures.ts';
import type { SecretsBundle } from './secrets-bundle.ts';
import type { ConfigMap, ConfigValue } from './value.ts';

export type MachineRole = 'controlplane' | 'worker';

/** What `talosctl gen config` is told. Absent options are upstream's defaults. */
export interface BaseInput {
  readonly clusterName: string;
  /** `https://192.168.1.10:6443` */
  readonly endpoint: string;
  readonly contract: TalosMinor;
  /** Without its `v`. */
  readonly kubernetesVersion: string;
  readonly bundle: SecretsBundle;
  readonly dnsDomain?: string;
  readonly podSubnets?: readonly string[];
  readonly serviceSubnets?: readonly string[];
  readonly machineCertSans?: readonly string[];
  readonly apiServerCertSans?: readonly string[];
  readonly allowSchedulingOnControlPlanes?: boolean;
  /** Absent: no disk is named, and from 1.14 on there is no install document. */
  readonly installDisk?: string;
  readonly installImage: string;
  readonly customCniUrl?: string;
  /** Default true. */
  readonly clusterDiscovery?: boolean;
  readonly kubeSpan?: boolean;
  /** Host to endpoints. */
  readonly registryMirrors?: Readonly<Record<string, readonly string[]>>;
  readonly localApiServerPort?: number;
  /** Default 7445; 0 leaves it out. */
  readonly kubePrismPort?: number;
  /** What 1.14 switches on for clusters made with it: workload isolation and a /var without executables. Default true. */
  readonly hardening?: boolean;
}

interface Context extends BaseInput {
  readonly role: MachineRole;
  readonly isOn: (name: ContractSwitch) => boolean;
}

/** One field of the document without a kind. `until` is the switch that takes it away, `from` the one that brings it. */
interface FieldRecipe {
  readonly path: string;
  readonly role?: MachineRole;
  readonly from?: ContractSwitch;
  readonly until?: ContractSwitch;
  readonly value: (context: Context) => ConfigValue | undefined;
}

/** One document, or several, in the order in which upstream writes them. */
interface DocumentRecipe {
  readonly kind: string;
  readonly role?: MachineRole;
  readonly from: ContractSwitch;
  readonly values: (context: Context) => readonly ConfigMap[];
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const pair = (one: { readonly certificate: string; readonly key: { reveal(): string } }) => ({
  crt: base64(one.certificate),
  key: base64(one.key.reveal()),
});
const publicPair = (one: { readonly certificate: string }) => ({ crt: base64(one.certificate), key: '' });
const plainPair = (one: { readonly certificate: string; readonly key: { reveal(): string } }) => ({
  cert: one.certificate,
  key: one.key.reveal(),
});
const image = (name: keyof typeof talosDefaults.images, { kubernetesVersion }: Context) =>
  `${talosDefaults.images[name]}:v${kubernetesVersion}`;
const prismPort = ({ kubePrismPort, isOn }: Context) => kubePrismPort ?? (isOn('kubePrism') ? talosDefaults.kubePrismPort : 0);
const network = ({ dnsDomain, podSubnets, serviceSubnets }: Context) => ({
  dnsDomain: dnsDomain ?? talosDefaults.dnsDomain,
  podSubnets: [...(podSubnets ?? [talosDefaults.podSubnet])],
  serviceSubnets: [...(serviceSubnets ?? [talosDefaults.serviceSubnet])],
});
const apiServerSans = (context: Context): string[] => [
  ...(context.isOn('leavesEndpointOutOfApiServerSans') ? [] : [hostOf(context.endpoint)]),
  ...(context.apiServerCertSans ?? []),
];

/** Source: pkg/machinery/config/generate/init.go, worker.go */
const fields: readonly FieldRecipe[] = [
  { path: 'version', value: () => 'v1alpha1' },
  { path: 'debug', value: () => false },
  { path: 'persist', value: () => true },
  { path: 'machine.type', value: ({ role }) => role },
  { path: 'machine.token', value: ({ bundle }) => bundle.trustdToken.reveal() },
  { path: 'machine.ca', role: 'controlplane', value: ({ bundle }) => pair(bundle.certs.os) },
  { path: 'machine.ca', role: 'worker', value: ({ bundle }) => publicPair(bundle.certs.os) },
  { path: 'machine.certSANs', value: ({ machineCertSans }) => [...(machineCertSans ?? [])] },
  {
    path: 'machine.kubelet',
    until: 'kubernetesDocuments',
    value: (context) => ({
      image: image('kubelet', context),
      defaultRuntimeSeccompProfileEnabled: true,
      ...(context.isOn('disablesManifestsDirectory') ? { disableManifestsDirectory: true } : {}),
    }),
  },
  {
    path: 'machine.network',
    until: 'kubeSpanDocument',
    value: ({ kubeSpan }) => (kubeSpan === undefined ? {} : { kubespan: { enabled: kubeSpan } }),
  },
  {
    path: 'machine.install',
    until: 'unattendedInstallDocument',
    value: ({ installDisk, installImage, isOn }) => ({
      ...(installDisk === undefined ? {} : { disk: installDisk }),
      image: installImage,
      wipe: false,
      ...(isOn('grubUsesUkiCommandLine') ? { grubUseUKICmdline: true } : {}),
    }),
  },
  { path: 'machine.registries', until: 'networkDocuments', value: legacyRegistries },
  { path: 'machine.features.rbac', until: 'hidesRbacAndKeyUsage', value: () => true },
  { path: 'machine.features.apidCheckExtKeyUsage', from: 'apidChecksKeyUsage', until: 'hidesRbacAndKeyUsage', value: () => true },
  { path: 'machine.features.stableHostname', until: 'networkDocuments', value: () => true },
  { path: 'machine.features.diskQuotaSupport', from: 'diskQuota', value: () => true },
  {
    path: 'machine.features.kubePrism',
    until: 'kubernetesDocuments',
    value: (context) => (prismPort(context) > 0 ? { enabled: true, port: prismPort(context) } : undefined),
  },
  {
    path: 'machine.features.hostDNS',
    from: 'hostDns',
    until: 'hostDnsDocument',
    value: ({ isOn }) => ({ enabled: true, ...(isOn('hostDnsForKubernetes') ? { forwardKubeDNSToHost: true } : {}) }),
  },
  {
    path: 'machine.nodeLabels',
    role: 'controlplane',
    from: 'excludesControlPlanesFromLoadBalancers',
    until: 'kubernetesDocuments',
    value: () => ({ 'node.kubernetes.io/exclude-from-external-load-balancers': '' }),
  },
  { path: 'cluster.id', until: 'discoveryDocuments', value: ({ bundle }) => bundle.cluster.id },
  { path: 'cluster.secret', until: 'discoveryDocuments', value: ({ bundle }) => bundle.cluster.secret.reveal() },
  { path: 'cluster.clusterName', role: 'controlplane', until: 'discoveryDocuments', value: ({ clusterName }) => clusterName },
  {
    path: 'cluster.clusterName',
    role: 'worker',
    from: 'clusterNameForWorkers',
    until: 'discoveryDocuments',
    value: ({ clusterName }) => clusterName,
  },
  {
    path: 'cluster.controlPlane',
    until: 'kubernetesDocuments',
    value: ({ endpoint, localApiServerPort, role }) => ({
      endpoint,
      ...(localApiServerPort === undefined || role === 'worker' ? {} : { localAPIServerPort: localApiServerPort }),
    }),
  },
  {
    path: 'cluster.network',
    until: 'kubernetesDocuments',
    value: (context) => ({
      ...(context.customCniUrl === undefined ? {} : { cni: { name: 'custom', urls: [context.customCniUrl] } }),
      ...network(context),
    }),
  },
  { path: 'cluster.token', value: ({ bundle }) => bundle.bootstrapToken.reveal() },
  {
    path: 'cluster.secretboxEncryptionSecret',
    role: 'controlplane',
    from: 'secretboxEncryption',
    until: 'kubernetesDocuments',
    value: ({ bundle }) => bundle.secretboxEncryptionSecret?.reveal(),
  },
  // talosctl writes no key at all for such a bundle, and a node could then not read its own secrets back.
  {
    path: 'cluster.aescbcEncryptionSecret',
    role: 'controlplane',
    until: 'kubernetesDocuments',
    value: ({ bundle }) => bundle.aescbcEncryptionSecret?.reveal(),
  },
  { path: 'cluster.ca', role: 'controlplane', until: 'kubernetesDocuments', value: ({ bundle }) => pair(bundle.certs.k8s) },
  { path: 'cluster.ca', role: 'worker', until: 'kubernetesDocuments', value: ({ bundle }) => publicPair(bundle.certs.k8s) },
  {
    path: 'cluster.aggregatorCA',
    role: 'controlplane',
    until: 'kubernetesDocuments',
    value: ({ bundle }) => pair(bundle.certs.k8sAggregator),
  },
  {
    path: 'cluster.serviceAccount',
    role: 'controlplane',
    until: 'kubernetesDocuments',
    value: ({ bundle }) => ({ key: base64(bundle.certs.k8sServiceAccount.key.reveal()) }),
  },
  { path: 'cluster.apiServer.image', role: 'controlplane', until: 'kubernetesDocuments', value: (context) => image('apiServer', context) },
  { path: 'cluster.apiServer.certSANs', role: 'controlplane', until: 'kubernetesDocuments', value: (context) => apiServerSans(context) },
  { path: 'cluster.apiServer.disablePodSecurityPolicy', role: 'controlplane', until: 'hidesDisabledPodSecurityPolicy', value: () => true },
  { path: 'cluster.apiServer.admissionControl', role: 'controlplane', until: 'kubernetesDocuments', value: () => [admission()] },
  {
    path: 'cluster.apiServer.auditPolicy',
    role: 'controlplane',
    from: 'apiServerAuditPolicy',
    until: 'kubernetesDocuments',
    value: () => auditPolicy(),
  },
  {
    path: 'cluster.controllerManager.image',
    role: 'controlplane',
    until: 'kubernetesDocuments',
    value: (context) => image('controllerManager', context),
  },
  { path: 'cluster.proxy.image', role: 'controlplane', until: 'kubernetesDocuments', value: (context) => image('proxy', context) },
  { path: 'cluster.scheduler.image', role: 'controlplane', until: 'kubernetesDocuments', value: (context) => image('scheduler', context) },
  {
    path: 'cluster.discovery',
    until: 'discoveryDocuments',
    value: ({ clusterDiscovery }) => ({ enabled: clusterDiscovery ?? true, registries: { kubernetes: { disabled: true }, service: {} } }),
  },
  { path: 'cluster.etcd.ca', role: 'controlplane', value: ({ bundle }) => pair(bundle.certs.etcd) },
  {
    path: 'cluster.allowSchedulingOnControlPlanes',
    role: 'controlplane',
    until: 'kubernetesDocuments',
    value: ({ allowSchedulingOnControlPlanes }) => (allowSchedulingOnControlPlanes ? true : undefined),
  },
];

const controlPlaneLabel = 'node-role.kubernetes.io/control-plane';

/** Source: pkg/machinery/config/generate, in the order of init.go and kubernetes.go */
const documents: readonly DocumentRecipe[] = [
  {
    kind: 'DiscoveryServiceConfig',
    from: 'discoveryDocuments',
    values: ({ clusterDiscovery }) => (clusterDiscovery === false ? [] : [{ name: 'default', endpoint: talosDefaults.discoveryEndpoint }]),
  },
  {
    kind: 'DiscoveryIdentityConfig',
    from: 'discoveryDocuments',
    values: ({ bundle }) => [{ clusterID: bundle.cluster.id, clusterSecret: bundle.cluster.secret.reveal() }],
  },
  {
    kind: 'UnattendedInstallConfig',
    from: 'unattendedInstallDocument',
    values: ({ installDisk, installImage }) =>
      installDisk === undefined || installDisk === ''
        ? []
        : [
            {
              installer: { image: installImage },
              provisioning: { diskSelector: { match: `disk.dev_path == ${JSON.stringify(installDisk)}` }, wipe: false },
            },
          ],
  },
  { kind: 'ResolverConfig', from: 'hostDnsDocument', values: () => [{ hostDNS: { enabled: true, forwardKubeDNSToHost: true } }] },
  {
    kind: 'VolumeConfig',
    from: 'filesystemTrim',
    values: ({ hardening }) => (hardening === false ? [] : [{ name: 'EPHEMERAL', mount: { secure: true } }]),
  },
  { kind: 'FilesystemTrimConfig', from: 'filesystemTrim', values: () => [{ interval: talosDefaults.trimInterval }] },
  {
    kind: 'SecurityProfileConfig',
    from: 'workloadIsolation',
    values: ({ hardening }) => (hardening === false ? [] : [{ workloadIsolation: true }]),
  },
  {
    kind: 'RegistryMirrorConfig',
    from: 'networkDocuments',
    values: ({ registryMirrors }) =>
      Object.entries(registryMirrors ?? {})
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, endpoints]) => ({ name, endpoints: endpoints.map((url) => ({ url })) })),
  },
  { kind: 'HostnameConfig', from: 'networkDocuments', values: () => [{ auto: 'stable' }] },
  { kind: 'KubeSpanConfig', from: 'kubeSpanDocument', values: ({ kubeSpan }) => (kubeSpan === undefined ? [] : [{ enabled: kubeSpan }]) },
  { kind: 'KubeClusterConfig', from: 'kubernetesDocuments', values: ({ clusterName, endpoint }) => [{ clusterName, endpoint }] },
  {
    kind: 'KubeNodeConfig',
    from: 'kubernetesDocuments',
    values: ({ role, allowSchedulingOnControlPlanes }) =>
      role === 'worker'
        ? [{}]
        : [
            {
              labels: { [controlPlaneLabel]: '', 'node.kubernetes.io/exclude-from-external-load-balancers': '' },
              ...(allowSchedulingOnControlPlanes ? {} : { taints: { [controlPlaneLabel]: 'NoSchedule' } }),
            },
          ],
  },
  {
    kind: 'KubeletConfig',
    from: 'kubernetesDocuments',
    values: (context) => [{ image: image('kubelet', context), defaultRuntimeSeccompProfileEnabled: true }],
  },
  { kind: 'KubeNetworkConfig', from: 'kubernetesDocuments', values: (context) => [network(context)] },
  {
    kind: 'KubeAPIServerCAConfig',
    from: 'kubernetesDocuments',
    values: ({ bundle, role }) => [
      role === 'controlplane' ? { issuingCA: plainPair(bundle.certs.k8s) } : { acceptedCAs: [bundle.certs.k8s.certificate] },
    ],
  },
  {
    kind: 'KubePrismConfig',
    from: 'kubernetesDocuments',
    values: (context) => (prismPort(context) > 0 ? [{ port: prismPort(context) }] : []),
  },
  {
    kind: 'KubeAggregatorCAConfig',
    role: 'controlplane',
    from: 'kubernetesDocuments',
    values: ({ bundle }) => [{ issuingCA: plainPair(bundle.certs.k8sAggregator) }],
  },
  {
    kind: 'KubeAdmissionControlConfig',
    role: 'controlplane',
    from: 'kubernetesDocuments',
    values: () => [{ name: 'PodSecurity', configuration: podSecurity() }],
  },
  { kind: 'KubeAuditPolicyConfig', role: 'controlplane', from: 'kubernetesDocuments', values: () => [{ configuration: auditPolicy() }] },
  {
    kind: 'KubeAuthenticationConfig',
    role: 'controlplane',
    from: 'kubernetesDocuments',
    values: () => [{ configuration: authentication() }],
  },
  {
    kind: 'KubeAuthorizerConfig',
    role: 'controlplane',
    from: 'kubernetesDocuments',
    values: () => [
      { name: 'node', type: 'Node' },
      { name: 'rbac', type: 'RBAC' },
    ],
  },
  {
    kind: 'KubeEtcdEncryptionConfig',
    role: 'controlplane',
    from: 'kubernetesDocuments',
    values: ({ bundle }) => [{ config: etcdEncryption(bundle) }],
  },
  {
    kind: 'KubeServiceAccountConfig',
    role: 'controlplane',
    from: 'kubernetesDocuments',
    values: ({ bundle, endpoint }) => [{ issuer: { privateKey: bundle.certs.k8sServiceAccount.key.reveal(), issuerURL: endpoint } }],
  },
  {
    kind: 'KubeAPIServerConfig',
    role: 'controlplane',
    from: 'kubernetesDocuments',
    values: (context) => [
      {
        image: image('apiServer', context),
        ...(context.localApiServerPort === undefined ? {} : { apiPort: context.localApiServerPort }),
        ...(apiServerSans(context).length > 0 ? { certExtraSANs: apiServerSans(context) } : {}),
      },
    ],
  },
  {
    kind: 'KubeControllerManagerConfig',
    role: 'controlplane',
    from: 'kubernetesDocuments',
    values: (context) => [{ image: image('controllerManager', context) }],
  },
  {
    kind: 'KubeSchedulerConfig',
    role: 'controlplane',
    from: 'kubernetesDocuments',
    values: (context) => [{ image: image('scheduler', context) }],
  },
  { kind: 'KubeProxyConfig', role: 'controlplane', from: 'kubernetesDocuments', values: (context) => [{ image: image('proxy', context) }] },
  {
    kind: 'KubeFlannelCNIConfig',
    role: 'controlplane',
    from: 'kubernetesDocuments',
    values: ({ customCniUrl }) =>
      customCniUrl === undefined ? [{ backendType: talosDefaults.flannelBackend, backendPort: talosDefaults.flannelPort }] : [],
  },
  { kind: 'KubeCoreDNSConfig', role: 'controlplane', from: 'kubernetesDocuments', values: () => [{ enabled: true }] },
  {
    kind: 'KubeExternalManifestConfig',
    role: 'controlplane',
    from: 'kubernetesDocuments',
    values: ({ customCniUrl }) => (customCniUrl === undefined ? [] : [{ name: 'custom-cni', url: customCniUrl }]),
  },
];

/**
 * The configuration of one role before any patch, document by document as upstream makes it.
 *
 * Failure: `talos-config/endpoint-invalid`, `talos-config/bundle-encryption-secret` where that Talos cannot use the bundle's.
 */
export function generateBase(input: BaseInput, role: MachineRole): ConfigDocument[] {
  const context: Context = { ...input, role, isOn: (name) => isSwitchedOn(name, input.contract) };
  hostOf(input.endpoint);
  if (role === 'controlplane' && !context.isOn('secretboxEncryption') && input.bundle.aescbcEncryptionSecret === undefined)
    throw new TkError(talosConfigFailure('talos-config/bundle-encryption-secret', { found: 'secretbox' }));
  const root: ConfigMap = {};
  for (const field of fields) {
    if ((field.role ?? role) !== role || (field.until && context.isOn(field.until)) || (field.from && !context.isOn(field.from))) continue;
    const value = field.value(context);
    if (value !== undefined) put(root, field.path.split('.'), value);
  }
  const made: ConfigDocument[] = [documentOf('v1alpha1', root, input.contract)];
  for (const document of documents) {
    if ((document.role ?? role) !== role || !context.isOn(document.from)) continue;
    for (const value of document.values(context)) made.push(documentOf(document.kind, value, input.contract));
  }
  return made;
}

/** A document of a kind that the contract's table has, from values that need no reading. */
export function documentOf(kind: string, value: ConfigMap, contract: TalosMinor): ConfigDocument {
  const schema = machineConfigSchema(contract).kinds.get(kind);
  const name = schema?.nameField === undefined ? '' : String(value[schema.nameField] ?? '');
  const identity = kind === 'v1alpha1' ? {} : { apiVersion: 'v1alpha1', kind };
  return { kind, apiVersion: 'v1alpha1', name, ...(schema ? { schema } : {}), value: { ...identity, ...value } };
}

function put(root: ConfigMap, path: readonly string[], value: ConfigValue): void {
  let holder = root;
  for (const part of path.slice(0, -1)) holder = (holder[part] ??= {}) as ConfigMap;
  holder[path.at(-1) ?? ''] = value;
}

function legacyRegistries({ registryMirrors, isOn }: Context): ConfigValue | undefined {
  const mirrors: ConfigMap = {};
  const { host: oldHost, endpoints: instead } = talosDefaults.oldKubernetesRegistry;
  if (!isOn('ownKubernetesRegistry')) mirrors[oldHost] = { endpoints: [...instead] };
  for (const [host, endpoints] of Object.entries(registryMirrors ?? {})) mirrors[host] = { endpoints: [...endpoints] };
  return Object.keys(mirrors).length === 0 ? undefined : { mirrors };
}

/**
 * Talos names the secretbox key `key2`; a bundle of before 1.3 has an AES-CBC secret, whose key is `key1` of the aescbc provider. Upstream
 * writes it as a secretbox key, which could not read what was encrypted with it.
 */
function etcdEncryption(bundle: SecretsBundle): ConfigMap {
  const provider = (kind: string, name: string, secret: string) => ({ [kind]: { keys: [{ name, secret }] } });
  return {
    resources: [
      {
        providers: [
          ...(bundle.secretboxEncryptionSecret ? [provider('secretbox', 'key2', bundle.secretboxEncryptionSecret.reveal())] : []),
          ...(bundle.aescbcEncryptionSecret ? [provider('aescbc', 'key1', bundle.aescbcEncryptionSecret.reveal())] : []),
        ],
        resources: ['secrets'],
      },
    ],
  };
}

function hostOf(endpoint: string): string {
  const host = /^https?:\/\/(?:\[([^\]]+)\]|([^/:?#]+))(?::\d+)?(?:[/?#]|$)/.exec(endpoint);
  if (!host) throw new TkError(talosConfigFailure('talos-config/endpoint-invalid', { endpoint }));
  return host[1] ?? host[2] ?? '';
}
