import type { ClusterConfigsRequest } from '../../../lib/talos/machine-config.ts';

type Flags = Omit<
  ClusterConfigsRequest,
  'bundle' | 'talosVersion' | 'clusterName' | 'endpoint' | 'patches' | 'controlPlanePatches' | 'workerPatches'
>;

export interface GenConfigCase {
  readonly name: string;
  readonly clusterName?: string;
  readonly endpoint?: string;
  readonly flags?: Flags;
  readonly patches?: readonly string[];
  readonly controlPlanePatches?: readonly string[];
  readonly workerPatches?: readonly string[];
}

export const generations = ['1.12', '1.13', '1.14'] as const;
/** The talosctl that records each generation, and the version of Talos that it writes. */
export const talosVersions: Readonly<Record<string, string>> = { '1.12': 'v1.12.6', '1.13': 'v1.13.9', '1.14': 'v1.14.1' };
/** Older contracts, which talosctl 1.12 still makes. */
export const olderContracts = ['1.9', '1.10', '1.11'] as const;

const document = (kind: string, rest: string) => `apiVersion: v1alpha1\nkind: ${kind}\n${rest}`;

export const genConfigCases: readonly GenConfigCase[] = [
  { name: 'defaults' },
  { name: 'another name', clusterName: 'my-home.cluster_1' },
  { name: 'an endpoint by name', endpoint: 'https://api.home.arpa:6443' },
  { name: 'an endpoint without a port', endpoint: 'https://10.0.0.1' },
  { name: 'an endpoint in IPv6', endpoint: 'https://[fd00::1]:6443' },
  { name: 'another disk', flags: { installDisk: '/dev/nvme0n1' } },
  { name: 'a disk by id', flags: { installDisk: '/dev/disk/by-id/nvme-A "quoted"' } },
  { name: 'no disk', flags: { installDisk: '' } },
  { name: 'another image', flags: { installImage: 'factory.example.org/metal-installer/abc:v1.2.3' } },
  { name: 'names for certificates', flags: { additionalSans: ['10.0.0.1', 'api.example.org'] } },
  { name: 'another domain', flags: { dnsDomain: 'cluster.home' } },
  { name: 'another Kubernetes', flags: { kubernetesVersion: '1.34.2' } },
  { name: 'Kubernetes with a v', flags: { kubernetesVersion: 'v1.35.0' } },
  { name: 'one mirror', flags: { registryMirrors: { 'docker.io': ['https://mirror.example.org'] } } },
  {
    name: 'several mirrors',
    flags: {
      registryMirrors: {
        'registry.k8s.io': ['http://10.0.0.1:5001'],
        'docker.io': ['https://a.example.org'],
        'ghcr.io': ['https://b.example.org'],
      },
    },
  },
  { name: 'no discovery', flags: { clusterDiscovery: false } },
  { name: 'kubespan', flags: { kubeSpan: true } },
  {
    name: 'everything at once',
    flags: {
      additionalSans: ['x'],
      dnsDomain: 'a.b',
      kubeSpan: true,
      clusterDiscovery: false,
      installDisk: '/dev/vda',
      registryMirrors: { 'docker.io': ['https://m'] },
    },
  },
  { name: 'a patch for all', patches: ['machine:\n  nodeAnnotations:\n    a: b\n'] },
  { name: 'a patch for control planes', controlPlanePatches: ['machine:\n  certSANs: [cp]\n'] },
  { name: 'a patch for workers', workerPatches: ['machine:\n  certSANs: [worker]\n'] },
  {
    name: 'patches in order',
    patches: ['machine:\n  certSANs: [one]\n', 'machine:\n  certSANs: [two]\n'],
    controlPlanePatches: ['machine:\n  certSANs: [three]\n'],
    workerPatches: ['machine:\n  certSANs: [four]\n'],
  },
  { name: 'a host name', patches: [document('HostnameConfig', 'hostname: node\nauto: "off"\n')] },
  {
    name: 'links',
    patches: [
      `${document('LinkConfig', 'name: eth0\naddresses:\n  - address: 10.0.0.2/24\nroutes:\n  - gateway: 10.0.0.1\n')}---\n${document('ResolverConfig', 'nameservers:\n  - address: 1.1.1.1\n')}`,
    ],
  },
  { name: 'time servers', patches: [document('TimeSyncConfig', 'ntp:\n  servers: [time.cloudflare.com]\n')] },
  {
    name: 'a user volume',
    workerPatches: [
      document('UserVolumeConfig', 'name: data\nprovisioning:\n  diskSelector:\n    match: "!system_disk"\n  minSize: 10GiB\n'),
    ],
  },
  {
    name: 'an encrypted system',
    patches: [`${document('VolumeConfig', 'name: STATE\nencryption:\n  provider: luks2\n  keys:\n    - slot: 0\n      nodeID: {}\n')}`],
  },
  {
    name: 'a firewall',
    patches: [
      `${document('NetworkDefaultActionConfig', 'ingress: block\n')}---\n${document('NetworkRuleConfig', 'name: api\nportSelector:\n  ports: [50000]\n  protocol: tcp\ningress:\n  - subnet: 10.0.0.0/8\n')}`,
    ],
  },
  { name: 'files', patches: ['machine:\n  files:\n    - content: a\n      permissions: 0o600\n      path: /var/a\n      op: create\n'] },
  { name: 'a deleted document', patches: [document('HostnameConfig', '$patch: delete\n')] },
  { name: 'a virtual address', controlPlanePatches: [document('Layer2VIPConfig', 'name: 192.168.1.120\nlink: eth0\n')] },
  { name: 'an extension service', patches: [document('ExtensionServiceConfig', 'name: tailscale\nenvironment: [TS_AUTHKEY=x]\n')] },
];
