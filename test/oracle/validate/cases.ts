import { brokenDocuments } from './broken.ts';

export interface ValidateCase {
  readonly name: string;
  readonly role: 'controlplane' | 'worker';
  /** Appended to the generated configuration as documents, or put in by `replace`. */
  readonly append?: string;
  readonly replace?: readonly (readonly [string | RegExp, string])[];
}

const doc = (kind: string, rest = '') => `---\napiVersion: v1alpha1\nkind: ${kind}\n${rest}`;
const worker = (name: string, append: string): ValidateCase => ({ name, role: 'worker', append });
const changed = (name: string, role: ValidateCase['role'], ...replace: (readonly [string | RegExp, string])[]): ValidateCase => ({
  name,
  role,
  replace,
});

export const validateCases: readonly ValidateCase[] = [
  { name: 'a control plane as generated', role: 'controlplane' },
  { name: 'a worker as generated', role: 'worker' },
  changed('no type', 'worker', ['type: worker\n', '']),
  changed('an unknown type', 'worker', ['type: worker', 'type: server']),
  changed('the old name of the first node', 'controlplane', ['type: controlplane', 'type: init']),
  changed('no authority', 'worker', [/    ca:\n        crt: .*\n        key: ""\n/, '']),
  changed('a control plane without its key', 'controlplane', [/(    ca:\n        crt: .*\n)        key: .*\n/, '$1        key: ""\n']),
  changed('a worker that persists nothing', 'worker', ['persist: true', 'persist: false']),
  changed('an unknown key of the machine', 'worker', ['    certSANs: []', '    certSANs: []\n    certSans: []']),
  changed('an unknown key deep inside', 'worker', ['    features:\n', '    features:\n        kubePrizm:\n            enabled: true\n']),
  changed('a misspelt section', 'worker', ['cluster:\n', 'clutser:\n']),
  changed('no cluster', 'worker', [/^cluster:\n(?: .*\n)*/m, '']),
  changed('etcd on a worker', 'worker', [/^cluster:\n/m, 'cluster:\n    etcd: {}\n']),
  changed('a list where a text is', 'worker', [/token: (.*)\n/, 'token: [$1]\n']),
  changed('a text where a list is', 'worker', ['certSANs: []', 'certSANs: abc']),
  changed('a virtual address on a worker', 'worker', [
    '    certSANs: []',
    '    certSANs: []\n    network:\n        interfaces:\n            - interface: eth0\n              dhcp: true\n              vip:\n                ip: 10.0.0.5',
  ]),
  changed('a partition that is not the last', 'worker', [
    '    certSANs: []',
    '    certSANs: []\n    disks:\n        - device: /dev/sdb\n          partitions:\n            - mountpoint: /var/a\n            - mountpoint: /var/b\n              size: 1GB',
  ]),
  changed('access for Kubernetes on a worker', 'worker', [
    '    features:\n',
    '    features:\n        kubernetesTalosAPIAccess:\n            enabled: true\n            allowedRoles: [os:reader]\n            allowedKubernetesNamespaces: [kube-system]\n',
  ]),
  changed('a manifest without a name', 'controlplane', [
    /^cluster:\n/m,
    'cluster:\n    inlineManifests:\n        - name: ""\n          contents: a\n',
  ]),
  changed('two manifests of one name', 'controlplane', [
    /^cluster:\n/m,
    'cluster:\n    inlineManifests:\n        - name: a\n          contents: a\n        - name: a\n          contents: b\n',
  ]),
  worker('an unknown kind', doc('NoSuchConfig', 'name: x\n')),
  worker('a kind of 1.13', doc('EnvironmentConfig', 'variables:\n  A: b\n')),
  worker('a kind of 1.14', doc('SysctlConfig', 'params:\n  vm.x: "1"\n')),
  worker('a kind without a version', '---\nkind: HostnameConfig\nhostname: x\n'),
  worker('a version without a kind', '---\napiVersion: v1alpha1\nhostname: x\n'),
  worker(
    'a document twice',
    doc('WatchdogTimerConfig', 'device: /dev/watchdog0\n') + doc('WatchdogTimerConfig', 'device: /dev/watchdog1\n'),
  ),
  worker('a named document twice', doc('LinkConfig', 'name: eth0\n') + doc('LinkConfig', 'name: eth0\n')),
  worker('another name is another document', doc('LinkConfig', 'name: eth0\n') + doc('LinkConfig', 'name: eth1\n')),
  worker('a list as a document', '---\n- a\n'),
  worker('a link without a name', doc('LinkConfig', 'mtu: 1500\n')),
  worker('a link with no address', doc('LinkConfig', 'name: eth0\naddresses:\n  - address: ""\n')),
  worker('a link with a zero address', doc('LinkConfig', 'name: eth0\naddresses:\n  - address: 0.0.0.0/0\n')),
  worker(
    'a default route with its destination',
    doc('LinkConfig', 'name: eth0\nroutes:\n  - destination: 0.0.0.0/0\n    gateway: 10.0.0.1\n'),
  ),
  worker('a bond of nothing', doc('BondConfig', 'name: bond0\n')),
  worker('a bond without a mode', doc('BondConfig', 'name: bond0\nlinks: [eth0]\n')),
  worker('a bond', doc('BondConfig', 'name: bond0\nlinks: [eth0]\nbondMode: active-backup\n')),
  worker('a vlan without a number', doc('VLANConfig', 'name: eth0.1\nparent: eth0\n')),
  worker('a vlan without a parent', doc('VLANConfig', 'name: eth0.1\nvlanID: 1\n')),
  worker('a vlan beyond the last', doc('VLANConfig', 'name: x\nvlanID: 4095\nparent: eth0\n')),
  worker('a bridge', doc('BridgeConfig', 'name: br0\nlinks: [eth0]\n')),
  worker('wireguard without a key', doc('WireguardConfig', 'name: wg0\n')),
  worker('a virtual address without a link', doc('Layer2VIPConfig', 'name: 10.0.0.5\n')),
  worker('an alias without a selector', doc('LinkAliasConfig', 'name: net0\n')),
  worker('a static host without names', doc('StaticHostConfig', 'name: 10.0.0.1\n')),
  worker('a static host by name', doc('StaticHostConfig', 'name: nas\nhostnames: [a]\n')),
  worker('a rule without ports', doc('NetworkRuleConfig', 'name: a\nportSelector:\n  protocol: tcp\ningress:\n  - subnet: 10.0.0.0/8\n')),
  worker('a rule without a name', doc('NetworkRuleConfig', 'portSelector:\n  ports: [1]\n  protocol: tcp\ningress: []\n')),
  worker('ports that overlap', doc('NetworkRuleConfig', 'name: a\nportSelector:\n  ports: [10-20, 15]\n  protocol: tcp\ningress: []\n')),
  worker('ports the wrong way round', doc('NetworkRuleConfig', 'name: a\nportSelector:\n  ports: [20-10]\n  protocol: tcp\ningress: []\n')),
  worker('two sources of time', doc('TimeSyncConfig', 'ntp:\n  servers: [a]\nptp:\n  devices: [b]\n')),
  worker('a user volume without a selector', doc('UserVolumeConfig', 'name: a\nprovisioning:\n  minSize: 1GB\n')),
  worker('a user volume without sizes', doc('UserVolumeConfig', 'name: a\nprovisioning:\n  diskSelector:\n    match: "!system_disk"\n')),
  worker(
    'a user volume with wrong sizes',
    doc('UserVolumeConfig', 'name: a\nprovisioning:\n  diskSelector:\n    match: "!system_disk"\n  minSize: 2GB\n  maxSize: 1GB\n'),
  ),
  worker(
    'a user volume with a bad name',
    doc('UserVolumeConfig', 'name: a_b\nprovisioning:\n  diskSelector:\n    match: "!system_disk"\n  minSize: 2GB\n'),
  ),
  worker('a directory with a size', doc('UserVolumeConfig', 'name: a\nvolumeType: directory\nprovisioning:\n  minSize: 2GB\n')),
  worker('a directory', doc('UserVolumeConfig', 'name: a\nvolumeType: directory\n')),
  worker('encryption without keys', doc('VolumeConfig', 'name: STATE\nencryption:\n  provider: luks2\n')),
  worker('a key of no kind', doc('VolumeConfig', 'name: STATE\nencryption:\n  provider: luks2\n  keys:\n    - slot: 0\n')),
  worker(
    'a slot twice',
    doc(
      'VolumeConfig',
      'name: STATE\nencryption:\n  provider: luks2\n  keys:\n    - slot: 0\n      nodeID: {}\n    - slot: 0\n      nodeID: {}\n',
    ),
  ),
  worker('provisioning of the state', doc('VolumeConfig', 'name: STATE\nprovisioning:\n  grow: true\n')),
  ...(
    [
      ['a size without its u', 'disk.size > 100'],
      ['an unknown field', 'disk.sise > 1u'],
      ['an unknown name', 'disks.size > 1u'],
      ['no verdict', 'disk.size'],
      ['a method of another type', 'disk.size.startsWith("a")'],
      [
        'everything that it may say',
        'disk.size > 10u * GiB && glob("sd*", disk.dev_path) && disk.symlinks.exists(s, s.endsWith("x")) && !system_disk',
      ],
    ] as const
  ).map(([what, match]) =>
    worker(
      `a selector with ${what}`,
      doc('VolumeConfig', `name: EPHEMERAL\nprovisioning:\n  diskSelector:\n    match: '${match}'\n  maxSize: 1GB\n`),
    ),
  ),
  worker('a link by text instead of bytes', doc('LinkAliasConfig', 'name: net0\nselector:\n  match: link.permanent_addr == "aa:bb"\n')),
  worker('memory in whole numbers', doc('OOMConfig', 'triggerExpression: memory_full_avg10 > 12\ncgroupRankingExpression: "1.0"\n')),
  worker(
    'an existing volume of the system disk',
    doc('ExistingVolumeConfig', 'name: a\ndiscovery:\n  volumeSelector:\n    match: system_disk\n'),
  ),
  worker('an extension service of nothing', doc('ExtensionServiceConfig', 'name: a\n')),
  worker(
    'an extension service without content',
    doc('ExtensionServiceConfig', 'name: a\nconfigFiles:\n  - content: ""\n    mountPath: /a\n'),
  ),
  worker(
    'an extension service without a path',
    doc('ExtensionServiceConfig', 'name: a\nconfigFiles:\n  - content: a\n    mountPath: ""\n'),
  ),
  worker('a watchdog of nothing', doc('WatchdogTimerConfig', 'timeout: 2m\n')),
  worker('a kernel log to nowhere', doc('KmsgLogConfig', 'name: a\n')),
  worker('a kernel log over http', doc('KmsgLogConfig', 'name: a\nurl: http://10.0.0.1:1/\n')),
  worker('a kernel log without a port', doc('KmsgLogConfig', 'name: a\nurl: tcp://10.0.0.1/\n')),
  worker('an unknown enumeration', doc('NetworkDefaultActionConfig', 'ingress: deny\n')),
  worker('an unknown key of a document', doc('LinkConfig', 'name: eth0\nmtuu: 1\n')),
  worker('a bad address', doc('LinkConfig', 'name: eth0\naddresses:\n  - address: 10.0.0.300/24\n')),
  worker('a bad size', doc('UserVolumeConfig', 'name: a\nprovisioning:\n  minSize: big\n')),
  changed('a host name in both forms', 'worker', ['    certSANs: []', '    certSANs: []\n    network:\n        hostname: x']),
  changed(
    'name servers in both forms',
    'worker',
    ['    certSANs: []', '    certSANs: []\n    network:\n        nameservers: [1.1.1.1]'],
    [/$/, doc('ResolverConfig', 'nameservers:\n  - address: 1.1.1.1\n')],
  ),
  changed(
    'time servers in both forms',
    'worker',
    ['    certSANs: []', '    certSANs: []\n    time:\n        servers: [a]'],
    [/$/, doc('TimeSyncConfig', 'ntp:\n  servers: [a]\n')],
  ),
  changed(
    'encryption in both forms',
    'worker',
    [
      '    certSANs: []',
      '    certSANs: []\n    systemDiskEncryption:\n        state:\n            provider: luks2\n            keys:\n                - slot: 0\n                  nodeID: {}',
    ],
    [/$/, doc('VolumeConfig', 'name: STATE\nencryption:\n  provider: luks2\n  keys:\n    - slot: 0\n      nodeID: {}\n')],
  ),
  changed(
    'old sections beside the new ones',
    'controlplane',
    ['    certSANs: []', '    certSANs: []\n    nodeLabels:\n        a: b\n    nodeTaints:\n        a: b:NoSchedule'],
    [/^cluster:\n/m, 'cluster:\n    allowSchedulingOnControlPlanes: true\n    coreDNS:\n        disabled: true\n'],
  ),
  changed('files', 'worker', [
    '    certSANs: []',
    '    certSANs: []\n    files:\n        - content: a\n          path: /var/a\n          permissions: 0o644\n          op: create',
  ]),
  changed('too new a kubelet', 'worker', [/kubelet:v1\.\d+\.\d+/, 'kubelet:v1.39.0']),
  changed('too old a kubelet', 'worker', [/kubelet:v1\.\d+\.\d+/, 'kubelet:v1.20.0']),
  changed('a domain that is none', 'controlplane', ['dnsDomain: cluster.local', 'dnsDomain: "a b"']),
  changed('an endpoint without TLS', 'worker', [/endpoint: https:\/\/192/, 'endpoint: http://192']),
  changed('an endpoint with a port beyond the last', 'worker', [/(endpoint: https:\/\/192\S*?):6443/, '$1:66443']),
  ...(
    [
      ['two ports', 'https://192.168.1.10:6443:1'],
      ['an escape that is none', 'https://192.168.1.%zz:6443'],
      ['a space in its host', 'https://192.168 .1.10:6443'],
      ['an address of IPv6 without brackets', 'https://fd00::1:6443'],
      ['brackets around a name', 'https://[home.arpa]:6443'],
      ['a colon and no scheme', 'home:6443/a'],
      ['a path', 'https://192.168.1.10/24:6443'],
      ['a user', 'https://a:b@192.168.1.10:6443'],
      ['a port that is no number', 'https://192.168.1.10:http'],
    ] as const
  ).map(([what, endpoint]) => changed(`an endpoint with ${what}`, 'worker', [/endpoint: https:\/\/192\S*/, `endpoint: "${endpoint}"`])),
  worker('a log to an address with an escape that is none', doc('KmsgLogConfig', 'name: a\nurl: tcp://10.0.0.1%2:514/\n')),
  worker('a log to a path with an escape', doc('KmsgLogConfig', 'name: a\nurl: tcp://10.0.0.1:514/%2f\n')),
  changed('labels and taints that are none', 'worker', [
    '    certSANs: []',
    '    certSANs: []\n    nodeLabels:\n        a/b/c: d\n        e: "f g"\n    nodeTaints:\n        a: b\n    nodeAnnotations:\n        talos.dev/owned-labels: a',
  ]),
  changed('encryption of the system without keys', 'worker', [
    '    certSANs: []',
    '    certSANs: []\n    systemDiskEncryption:\n        ephemeral:\n            provider: luks2\n            keys:\n                - slot: 1\n                - slot: 1\n                  nodeID: {}\n        state:\n            provider: luks2',
  ]),
  changed('no installation', 'worker', [/^ {4}install:\n(?: {8}.*\n)*/m, '']),
  changed('KubeSpan without discovery', 'worker', [
    '    certSANs: []',
    '    certSANs: []\n    network:\n        kubespan:\n            enabled: true\n            mtu: 1000\n            filters:\n                endpoints: [a]\n                excludeAdvertisedNetworks: [b]',
  ]),
  changed('an unknown network plugin', 'controlplane', [
    /^ {8}dnsDomain: cluster.local$/m,
    '        dnsDomain: cluster.local\n        cni:\n            name: calico',
  ]),
  changed('a network plugin with too much', 'controlplane', [
    /^ {8}dnsDomain: cluster.local$/m,
    '        dnsDomain: cluster.local\n        cni:\n            name: none\n            urls: [https://a]\n            flannel:\n                extraArgs: [a]',
  ]),
  changed('addresses of etcd that are none', 'controlplane', [
    /^ {4}etcd:\n/m,
    '    etcd:\n        advertisedSubnets: [a, "!10.0.0.0/8"]\n        subnet: b\n',
  ]),
  changed('manifests of a provider that is off', 'controlplane', [
    /^cluster:\n/m,
    'cluster:\n    externalCloudProvider:\n        enabled: false\n        manifests: [https://a]\n',
  ]),
  ...brokenDocuments.map(([what, kind, body]) => worker(what, doc(kind, body))),
  ...brokenDocuments
    .filter(([, kind]) => kind.startsWith('Kube'))
    .map(([what, kind, body]): ValidateCase => ({ name: `${what}, on a control plane`, role: 'controlplane', append: doc(kind, body) })),
];
