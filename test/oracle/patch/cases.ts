export interface PatchCase {
  readonly name: string;
  readonly base: 'legacy' | 'documents' | 'single';
  readonly patches: readonly string[];
}

const legacy = (name: string, ...patches: string[]): PatchCase => ({ name: `legacy: ${name}`, base: 'legacy', patches });
const documents = (name: string, ...patches: string[]): PatchCase => ({ name: `documents: ${name}`, base: 'documents', patches });
const single = (name: string, ...patches: string[]): PatchCase => ({ name: `single: ${name}`, base: 'single', patches });
const doc = (kind: string, rest: string) => `apiVersion: v1alpha1\nkind: ${kind}\n${rest}`;

export const patchCases: readonly PatchCase[] = [
  // scalars
  legacy('a text overwrites', 'machine:\n  network:\n    hostname: new\n'),
  legacy('an empty text is ignored', 'machine:\n  network:\n    hostname: ""\n'),
  legacy('null is ignored', 'machine:\n  network:\n    hostname: ~\n'),
  legacy('a boolean behind a pointer overwrites', 'machine:\n  install:\n    wipe: false\n'),
  legacy('debug true', 'debug: true\n'),
  legacy('persist false', 'persist: false\n'),
  legacy('a zero number is ignored', 'machine:\n  network:\n    interfaces:\n      - interface: eth0\n        mtu: 0\n'),
  legacy('a number overwrites', 'machine:\n  network:\n    interfaces:\n      - interface: eth0\n        mtu: 9000\n'),
  legacy(
    'an unquoted number is text',
    'machine:\n  sysctls:\n    net.core.somaxconn: 1024\n    kernel.x: 0x10\n    vm.y: 1_000\n    a.b: 0123\n',
  ),
  legacy(
    'booleans as text',
    'machine:\n  sysctls:\n    a: true\n    b: yes\n    c: off\n    d: 12:30\n    e: 1.50\n    f: 2020-01-01\n    g: ~\n',
  ),
  legacy(
    'a file mode in every spelling',
    'machine:\n  files:\n    - {content: a, permissions: 0644, path: /var/b, op: create}\n    - {content: b, permissions: 420, path: /var/c, op: create}\n    - {content: c, permissions: 0x1a4, path: /var/d, op: append}\n',
  ),
  legacy('durations are normal', 'machine:\n  time:\n    bootTimeout: 90s\n'),
  legacy('a long duration', 'machine:\n  time:\n    bootTimeout: 1h30m15.5s\n'),
  legacy('a kubelet image', 'machine:\n  kubelet:\n    image: ghcr.io/siderolabs/kubelet:v1.36.0\n'),
  legacy('the endpoint', 'cluster:\n  controlPlane:\n    endpoint: https://10.0.0.1:6443\n'),
  legacy('scheduling off', 'cluster:\n  allowSchedulingOnControlPlanes: false\n'),
  legacy(
    'a disk size',
    'machine:\n  disks:\n    - device: /dev/sdb\n      partitions:\n        - mountpoint: /var/a\n          size: 100GB\n        - mountpoint: /var/b\n          size: 10GiB\n        - mountpoint: /var/c\n          size: 1000000001\n',
  ),
  legacy('a selector by size', 'machine:\n  install:\n    diskSelector:\n      size: ">= 100GB"\n      type: nvme\n'),
  // maps
  legacy('a map merges by key', 'machine:\n  sysctls:\n    vm.max_map_count: "262144"\n'),
  legacy('a map overwrites a key', 'machine:\n  nodeLabels:\n    zone: b\n    rack: r1\n'),
  legacy('an empty map value', 'machine:\n  nodeLabels:\n    zone: ""\n'),
  legacy('a new map', 'machine:\n  nodeTaints:\n    dedicated: gpu:NoSchedule\n'),
  legacy('an empty map', 'machine:\n  nodeAnnotations: {}\n'),
  legacy(
    'extra arguments',
    'machine:\n  kubelet:\n    extraArgs:\n      feature-gates: A=true\n      rotate-server-certificates: "false"\n',
  ),
  legacy('extra arguments as a list', 'cluster:\n  apiServer:\n    extraArgs:\n      x: [a, b]\n'),
  legacy(
    'kubelet extra config',
    'machine:\n  kubelet:\n    extraConfig:\n      maxPods: 200\n      imageGCHighThresholdPercent: 70\n      shutdownGracePeriod: 60s\n',
  ),
  // lists
  legacy('a list appends', 'machine:\n  certSANs: [example.org]\n'),
  legacy('a list appends its doubles', 'machine:\n  certSANs: [192.168.1.10]\n'),
  legacy('an empty list changes nothing', 'machine:\n  certSANs: []\n'),
  legacy('a list where none was', 'machine:\n  udev:\n    rules: ["a"]\n'),
  legacy('an empty list where none was', 'machine:\n  network:\n    extraHostEntries: []\n'),
  legacy(
    'a list of structs appends',
    'machine:\n  kubelet:\n    extraMounts:\n      - destination: /var/b\n        type: bind\n        source: /var/b\n        options: [bind]\n',
  ),
  legacy('name servers append', 'machine:\n  network:\n    nameservers: [9.9.9.9]\n'),
  legacy('pod subnets replace', 'cluster:\n  network:\n    podSubnets: [10.42.0.0/16]\n'),
  legacy('service subnets replace', 'cluster:\n  network:\n    serviceSubnets: [10.43.0.0/16]\n'),
  legacy('empty pod subnets', 'cluster:\n  network:\n    podSubnets: []\n'),
  legacy(
    'the audit policy is replaced',
    'cluster:\n  apiServer:\n    auditPolicy:\n      apiVersion: audit.k8s.io/v1\n      kind: Policy\n      rules:\n        - level: None\n',
  ),
  legacy(
    'files append',
    'machine:\n  files:\n    - content: |\n        two\n        lines\n      permissions: 0o600\n      path: /var/b.txt\n      op: append\n',
  ),
  legacy('inline manifests append', 'cluster:\n  inlineManifests:\n    - name: two\n      contents: |\n\n        b: 2\n'),
  // lists that merge by a key
  legacy(
    'an interface by name',
    'machine:\n  network:\n    interfaces:\n      - interface: eth0\n        addresses: [192.168.1.11/24]\n        dhcp: false\n',
  ),
  legacy('another interface', 'machine:\n  network:\n    interfaces:\n      - interface: eth1\n        dhcp: true\n'),
  legacy(
    'an interface by its selector',
    'machine:\n  network:\n    interfaces:\n      - deviceSelector:\n          hardwareAddr: aa:bb:cc:dd:ee:ff\n        mtu: 9000\n',
  ),
  legacy(
    'another selector',
    'machine:\n  network:\n    interfaces:\n      - deviceSelector:\n          driver: virtio\n        mtu: 9000\n',
  ),
  legacy(
    'a vlan by its number',
    'machine:\n  network:\n    interfaces:\n      - interface: eth0\n        vlans:\n          - vlanId: 100\n            mtu: 1400\n          - vlanId: 300\n            dhcp: true\n',
  ),
  legacy(
    'an admission plugin by name',
    'cluster:\n  apiServer:\n    admissionControl:\n      - name: PodSecurity\n        configuration:\n          defaults:\n            enforce: privileged\n          exemptions:\n            namespaces: [rook-ceph]\n',
  ),
  legacy(
    'another admission plugin',
    'cluster:\n  apiServer:\n    admissionControl:\n      - name: EventRateLimit\n        configuration:\n          limits: []\n',
  ),
  legacy(
    'a type mismatch in free form',
    'cluster:\n  apiServer:\n    admissionControl:\n      - name: PodSecurity\n        configuration:\n          defaults: none\n',
  ),
  // deletion
  legacy('delete a field', 'machine:\n  network:\n    hostname:\n      $patch: delete\n'),
  legacy('delete a section', 'machine:\n  network:\n    $patch: delete\n'),
  legacy('delete a map key', 'machine:\n  sysctls:\n    net.core.somaxconn:\n      $patch: delete\n'),
  legacy('delete a missing map key', 'machine:\n  sysctls:\n    missing:\n      $patch: delete\n'),
  legacy('delete a missing field of a section that is there', 'machine:\n  network:\n    kubespan:\n      $patch: delete\n'),
  legacy('delete below a missing section', 'machine:\n  logging:\n    destinations:\n      $patch: delete\n'),
  legacy('delete an unknown field', 'machine:\n  nothing:\n    $patch: delete\n'),
  legacy('delete an interface', 'machine:\n  network:\n    interfaces:\n      - interface: eth0\n        $patch: delete\n'),
  legacy('delete a missing interface', 'machine:\n  network:\n    interfaces:\n      - interface: eth9\n        $patch: delete\n'),
  legacy(
    'delete an admission plugin',
    'cluster:\n  apiServer:\n    admissionControl:\n      - name: PodSecurity\n        $patch: delete\n',
  ),
  legacy(
    'delete by a selector',
    'machine:\n  network:\n    interfaces:\n      - deviceSelector:\n          hardwareAddr: aa:bb:cc:dd:ee:ff\n        $patch: delete\n',
  ),
  legacy('delete a mount', 'machine:\n  kubelet:\n    extraMounts:\n      - destination: /var/a\n        $patch: delete\n'),
  legacy(
    'delete inside of an element',
    'machine:\n  network:\n    interfaces:\n      - interface: eth0\n        addresses:\n          $patch: delete\n',
  ),
  legacy(
    'delete and add in one patch',
    'machine:\n  network:\n    interfaces:\n      - interface: eth0\n        $patch: delete\n      - interface: eth5\n        dhcp: true\n',
  ),
  legacy('delete inside of free form', 'cluster:\n  apiServer:\n    auditPolicy:\n      rules:\n        $patch: delete\n'),
  legacy('delete the whole document', '$patch: delete\nversion: v1alpha1\n'),
  legacy(
    'two patches one after the other',
    'machine:\n  network:\n    hostname: first\n',
    'machine:\n  network:\n    hostname: second\n  certSANs: [x]\n',
  ),
  legacy('a new document', doc('HostnameConfig', 'hostname: node-1\nauto: "off"\n')),
  legacy(
    'two new documents',
    `${doc('HostnameConfig', 'hostname: node-1\n')}---\n${doc('WatchdogTimerConfig', 'device: /dev/watchdog0\n')}`,
  ),
  legacy('an unknown key', 'machine:\n  netwrok:\n    hostname: x\n'),
  legacy('an unknown kind', doc('NoSuchConfig', 'a: 1\n')),
  legacy('a list where a mapping is', 'machine: []\n'),
  legacy('a text where a list is', 'machine:\n  certSANs: abc\n'),
  legacy('a bad number', 'machine:\n  network:\n    interfaces:\n      - interface: eth0\n        mtu: large\n'),
  legacy('an anchor and an alias', 'machine:\n  nodeLabels: &l\n    rack: r2\n  nodeAnnotations: *l\n'),
  legacy('only comments', '# nothing\n'),
  legacy('only the version', 'version: v1alpha1\n'),
  legacy('an empty mapping', '{}\n'),
  // documents
  documents('a field of a document', doc('HostnameConfig', 'hostname: node-1\nauto: "off"\n')),
  documents('a pointer to an enum', doc('HostnameConfig', 'auto: "off"\n')),
  documents('a named document', doc('LinkConfig', 'name: eth0\nmtu: 9000\naddresses:\n  - address: 192.168.1.11/24\n')),
  documents('another name is another document', doc('LinkConfig', 'name: eth1\naddresses:\n  - address: 10.0.0.2/24\n')),
  documents('a zero in a document', doc('LinkConfig', 'name: eth0\nmtu: 0\n')),
  documents('the default action', doc('NetworkDefaultActionConfig', 'ingress: accept\n')),
  documents(
    'ports replace',
    doc('NetworkRuleConfig', 'name: api\nportSelector:\n  ports: [443, 6443-6444]\n  protocol: tcp\ningress:\n  - subnet: 10.0.0.0/8\n'),
  ),
  documents(
    'another rule',
    doc('NetworkRuleConfig', 'name: dns\nportSelector:\n  ports: [53]\n  protocol: udp\ningress:\n  - subnet: 0.0.0.0/0\n'),
  ),
  documents(
    'a config file by its path',
    doc(
      'ExtensionServiceConfig',
      'name: tailscale\nconfigFiles:\n  - content: new\n    mountPath: /etc/a\n  - content: b\n    mountPath: /etc/b\n',
    ),
  ),
  documents('environment appends', doc('ExtensionServiceConfig', 'name: tailscale\nenvironment: [B=2]\n')),
  documents('name servers of a document append', doc('ResolverConfig', 'nameservers:\n  - address: 9.9.9.9\n')),
  documents('search domains', doc('ResolverConfig', 'searchDomains:\n  domains: [example.com]\n')),
  documents('search domains disabled', doc('ResolverConfig', 'searchDomains:\n  disableDefault: true\n')),
  documents('rings behind pointers', doc('EthernetConfig', 'name: eth0\nrings:\n  rx: 0\n  tx: 256\n')),
  documents('a map of booleans', doc('EthernetConfig', 'name: eth0\nfeatures:\n  tx-tcp-segmentation: false\n  rx-gro: true\n')),
  documents('a duration of a document', doc('WatchdogTimerConfig', 'device: /dev/watchdog1\ntimeout: 120s\n')),
  documents(
    'a volume with everything repeated',
    doc(
      'UserVolumeConfig',
      'name: data\nprovisioning:\n  diskSelector:\n    match: disk.transport == "nvme"\n  minSize: 20GiB\n  maxSize: 100GiB\nfilesystem:\n  type: ext4\n',
    ),
  ),
  documents(
    'another volume',
    doc('UserVolumeConfig', 'name: media\nprovisioning:\n  diskSelector:\n    match: "!system_disk"\n  minSize: 1TB\n  grow: true\n'),
  ),
  documents(
    'encryption of a volume',
    doc(
      'VolumeConfig',
      'name: EPHEMERAL\nprovisioning:\n  diskSelector:\n    match: system_disk\n  minSize: 5GB\nencryption:\n  provider: luks2\n  keys:\n    - slot: 0\n      nodeID: {}\n',
    ),
  ),
  documents('a volume without its selector', doc('UserVolumeConfig', 'name: data\nfilesystem:\n  type: ext4\n')),
  documents('delete a document', `${doc('NetworkDefaultActionConfig', '$patch: delete\n')}`),
  documents('delete a named document', doc('NetworkRuleConfig', 'name: api\n$patch: delete\n')),
  documents('delete a field of a document', doc('LinkConfig', 'name: eth0\nmtu:\n  $patch: delete\n')),
  documents(
    'delete an element by a protocol that it does not name',
    doc('ResolverConfig', 'nameservers:\n  - protocol: Do53\n    $patch: delete\n'),
  ),
  documents(
    'delete an element by a table that it does not name',
    doc('LinkConfig', 'name: eth0\nroutes:\n  - table: unspec\n    $patch: delete\n'),
  ),
  documents('delete an element of a document', doc('LinkConfig', 'name: eth0\nroutes:\n  - metric: 100\n    $patch: delete\n')),
  documents(
    'delete then add',
    `${doc('HostnameConfig', '$patch: delete\n')}---\n${doc('HostnameConfig', 'hostname: again\nauto: "off"\n')}`,
  ),
  documents('an unknown enum value', doc('HostnameConfig', 'auto: sometimes\n')),
  documents('an unknown key of a document', doc('HostnameConfig', 'hostName: x\n')),
  documents('a bad address', doc('LinkConfig', 'name: eth0\naddresses:\n  - address: 300.1.1.1/24\n')),
  documents('a bad size', doc('UserVolumeConfig', 'name: data\nprovisioning:\n  minSize: large\n')),
  documents('a kind without a version', 'kind: HostnameConfig\nhostname: x\n'),
  documents('a version without a kind', 'apiVersion: v1alpha1\nhostname: x\n'),
  documents('the old document beside others', 'machine:\n  nodeLabels:\n    a: b\n'),
  documents('sysctls', 'machine:\n  sysctls:\n    vm.x: 10\n'),
  documents('a JSON patch on several documents', '- op: add\n  path: /machine/network\n  value:\n    hostname: x\n'),
  documents(
    'a user volume with a percentage',
    doc('UserVolumeConfig', 'name: half\nprovisioning:\n  diskSelector:\n    match: "!system_disk"\n  maxSize: 50%\n'),
  ),
  documents(
    'a bond',
    doc('BondConfig', 'name: bond0\nlinks: [eth0, eth1]\nbondMode: 802.3ad\nmiimon: 100\nlacpRate: fast\nxmitHashPolicy: layer3+4\n'),
  ),
  documents('a vlan', doc('VLANConfig', 'name: eth0.10\nvlanID: 10\nparent: eth0\naddresses:\n  - address: 10.10.0.1/24\n')),
  documents('dhcp', doc('DHCPv4Config', 'name: eth0\nrouteMetric: 50\n')),
  documents('a virtual address', doc('Layer2VIPConfig', 'name: 192.168.1.120\nlink: eth0\n')),
  documents('a registry mirror', doc('RegistryMirrorConfig', 'name: docker.io\nendpoints:\n  - url: https://mirror.example.org\n')),
  documents('time servers', doc('TimeSyncConfig', 'ntp:\n  servers: [time.cloudflare.com]\n')),
  documents('a static host', doc('StaticHostConfig', 'name: 10.0.0.9\nhostnames: [nas, nas.home.arpa]\n')),
  documents(
    'a wireguard link',
    doc(
      'WireguardConfig',
      'name: wg0\nprivateKey: 8Kz0pGvZ7pXDaJRIYcRx2cpnTqYyMNrAiCrbiGdnO3c=\npeers:\n  - publicKey: 2K1eEqP5DkIP5yTZ1RTTzpUmRs3zdrC1VlpT6TrxUCQ=\n    endpoint: 10.0.0.1:51820\n    persistentKeepaliveInterval: 25s\n    allowedIPs: [10.200.0.0/24]\n',
    ),
  ),
  documents('a route without a gateway', doc('LinkConfig', 'name: eth7\nroutes:\n  - destination: 10.9.0.0/16\n')),
  documents('kubespan', doc('KubeSpanConfig', 'enabled: true\nmtu: 1420\n')),
  documents('kernel log', doc('KmsgLogConfig', 'name: remote\nurl: tcp://10.0.0.1:1514/\n')),
  documents(
    'trusted roots',
    doc('TrustedRootsConfig', 'name: mine\ncertificates: |\n  -----BEGIN CERTIFICATE-----\n  AAAA\n  -----END CERTIFICATE-----\n'),
  ),
  documents(
    'a swap volume',
    doc('SwapVolumeConfig', 'name: swap\nprovisioning:\n  diskSelector:\n    match: "!system_disk"\n  minSize: 1GiB\n  maxSize: 4GiB\n'),
  ),
  documents('zswap', doc('ZswapConfig', 'maxPoolPercent: 25\nshrinkerEnabled: true\n')),
  documents(
    'two of one kind in one patch',
    `${doc('LinkConfig', 'name: eth3\nmtu: 1400\n')}---\n${doc('LinkConfig', 'name: eth4\nmtu: 1400\n')}`,
  ),
  documents('delete a missing document', doc('KmsgLogConfig', 'name: none\n$patch: delete\n')),
  documents('1.14: sysctls in their document', doc('SysctlConfig', 'params:\n  vm.a: "1"\n')),
  documents(
    '1.14: kubelet',
    doc('KubeletConfig', 'image: ghcr.io/siderolabs/kubelet:v1.37.0\nextraArgs:\n  a: b\n  c: [d, e]\nconfig:\n  maxPods: 200\n'),
  ),
  documents('1.14: pod subnets', doc('KubeNetworkConfig', 'podSubnets: [10.42.0.0/16]\nserviceSubnets: [10.43.0.0/16]\n')),
  documents('1.14: node labels', doc('KubeNodeConfig', 'labels:\n  zone: a\ntaints:\n  dedicated: gpu:NoSchedule\n')),
  documents(
    '1.14: install',
    doc(
      'UnattendedInstallConfig',
      'installer:\n  image: factory.talos.dev/metal-installer/abc:v1.14.1\nprovisioning:\n  diskSelector:\n    match: disk.dev_path == "/dev/sda"\n',
    ),
  ),
  documents('1.14: udev rules', doc('UdevRulesConfig', 'rules:\n  - SUBSYSTEM=="block"\n')),
  // Every other kind: a document of it, and a patch of that document.
  documents(
    'BGPInstanceConfig',
    doc(
      'BGPInstanceConfig',
      'name: main\nlocalASN: 65001\nadvertise: [10.0.0.0/8]\nneighbors:\n  - address: 10.0.0.1\n    peerASN: 65000\n',
    ),
    doc(
      'BGPInstanceConfig',
      'name: main\nadvertise: [10.1.0.0/16]\nneighbors:\n  - address: 10.0.0.2\n    peerASN: 65000\n    holdTime: 90s\nimportRoutes: []\n',
    ),
  ),
  documents(
    'BlackholeRouteConfig',
    doc('BlackholeRouteConfig', 'name: 10.9.0.0/16\nmetric: 100\n'),
    doc('BlackholeRouteConfig', 'name: 10.9.0.0/16\nmetric: 0\n'),
  ),
  documents(
    'CRIBaseRuntimeSpecConfig',
    doc('CRIBaseRuntimeSpecConfig', 'overrides:\n  process:\n    rlimits: []\n  hostname: a\n'),
    doc('CRIBaseRuntimeSpecConfig', 'overrides:\n  hostname: b\n'),
  ),
  documents(
    'CRICustomizationConfig',
    doc('CRICustomizationConfig', 'name: metrics\ncontent: |\n  [metrics]\n'),
    doc('CRICustomizationConfig', 'name: metrics\ncontent: |\n  [debug]\n'),
  ),
  documents(
    'ContainerConfig',
    doc('ContainerConfig', 'name: app\nimage: docker.io/library/app:1\nargs: [a]\nenvironment: [A=1]\n'),
    doc('ContainerConfig', 'name: app\nimage: docker.io/library/app:2\nargs: [b]\n'),
  ),
  documents(
    'EtcFileConfig',
    doc('EtcFileConfig', 'name: nfsmount.conf\nmode: 0o644\ncontents: a\n'),
    doc('EtcFileConfig', 'name: nfsmount.conf\nmode: 0600\ncontents: b\n'),
  ),
  documents('EventSinkConfig', doc('EventSinkConfig', 'endpoint: 10.0.0.1:4000\n'), doc('EventSinkConfig', 'endpoint: 10.0.0.2:4000\n')),
  documents(
    'ExistingVolumeConfig',
    doc('ExistingVolumeConfig', 'name: old\ndiscovery:\n  volumeSelector:\n    match: volume.partition_label == "old"\n'),
    doc(
      'ExistingVolumeConfig',
      'name: old\ndiscovery:\n  volumeSelector:\n    match: volume.partition_label == "older"\nmount:\n  readOnly: true\n',
    ),
  ),
  documents(
    'ExternalVolumeConfig',
    doc('ExternalVolumeConfig', 'name: share\nfilesystemType: virtiofs\nmount:\n  virtiofs:\n    tag: data\n'),
    doc('ExternalVolumeConfig', 'name: share\nmount:\n  readOnly: true\n'),
  ),
  documents('FilesystemScrubConfig', doc('FilesystemScrubConfig', 'interval: 24h\n'), doc('FilesystemScrubConfig', 'interval: 168h\n')),
  documents(
    'HTTPProbeConfig',
    doc('HTTPProbeConfig', 'name: web\nurl: https://10.0.0.1/healthz\ninterval: 1s\n'),
    doc('HTTPProbeConfig', 'name: web\nfailureThreshold: 3\ninterval: 2s\n'),
  ),
  documents(
    'ImageCacheConfig',
    doc('ImageCacheConfig', 'local:\n  enabled: true\n'),
    doc('ImageCacheConfig', 'local:\n  enabled: false\n'),
  ),
  documents(
    'ImageVerificationConfig',
    doc('ImageVerificationConfig', 'rules:\n  - image: docker.io/*\n    skip: true\n  - image: ghcr.io/*\n    deny: true\n'),
    doc('ImageVerificationConfig', 'rules:\n  - image: docker.io/*\n    deny: true\n  - image: registry.k8s.io/*\n    skip: true\n'),
  ),
  documents(
    'KubeStaticPodConfig',
    doc('KubeStaticPodConfig', 'name: web\npod:\n  metadata:\n    name: web\n  spec:\n    a: 1\n'),
    doc('KubeStaticPodConfig', 'name: web\npod:\n  metadata:\n    name: web2\n'),
  ),
  documents(
    'KubeTalosAPIAccessConfig',
    doc('KubeTalosAPIAccessConfig', 'allowedRoles: [os:reader]\nallowedKubernetesNamespaces: [kube-system]\n'),
    doc('KubeTalosAPIAccessConfig', 'allowedKubernetesNamespaces: [apps]\n'),
  ),
  documents(
    'KubeCredentialProviderConfig',
    doc('KubeCredentialProviderConfig', 'configuration:\n  kind: CredentialProviderConfig\n  providers: [a]\n'),
    doc('KubeCredentialProviderConfig', 'configuration:\n  kind: CredentialProviderConfig\n'),
  ),
  documents(
    'KubeAuditPolicyConfig',
    doc('KubeAuditPolicyConfig', 'configuration:\n  rules:\n    - level: Metadata\n'),
    doc('KubeAuditPolicyConfig', 'configuration:\n  rules:\n    - level: None\n'),
  ),
  documents(
    'KubeAuthenticationConfig',
    doc('KubeAuthenticationConfig', 'configuration:\n  jwt: [1]\n'),
    doc('KubeAuthenticationConfig', 'configuration:\n  anonymous:\n    enabled: false\n'),
  ),
  documents(
    'KubeAPIServerConfig',
    doc('KubeAPIServerConfig', 'image: registry.k8s.io/kube-apiserver:v1.37.0\nextraArgs:\n  a: b\n  c: [d]\n'),
    doc('KubeAPIServerConfig', 'extraArgs:\n  c: e\n  f: [g, h]\n'),
  ),
  documents(
    'KubeControllerManagerConfig',
    doc('KubeControllerManagerConfig', 'image: registry.k8s.io/kube-controller-manager:v1.37.0\nextraArgs:\n  a: b\n'),
    doc('KubeControllerManagerConfig', 'extraArgs:\n  a: c\n'),
  ),
  documents(
    'KubeSchedulerConfig',
    doc('KubeSchedulerConfig', 'image: registry.k8s.io/kube-scheduler:v1.37.0\nextraArgs:\n  a: b\n'),
    doc('KubeSchedulerConfig', 'extraArgs:\n  b: c\nconfig:\n  x: 1\n'),
  ),
  documents(
    'KubeProxyConfig',
    doc('KubeProxyConfig', 'image: registry.k8s.io/kube-proxy:v1.37.0\nextraArgs:\n  a: b\n'),
    doc('KubeProxyConfig', 'mode: nftables\nextraArgs:\n  a: [c]\n'),
  ),
  documents(
    'KubeExternalManifestConfig',
    doc('KubeExternalManifestConfig', 'name: a\nurl: https://example.org/a.yaml\n'),
    doc('KubeExternalManifestConfig', 'name: a\nheaders:\n  X-A: b\n'),
  ),
  documents(
    'KubeInlineManifestConfig',
    doc('KubeInlineManifestConfig', 'name: a\nmanifest: |\n  a: 1\n'),
    doc('KubeInlineManifestConfig', 'name: a\nmanifest: |\n  a: 2\n'),
  ),
  documents(
    'KubeSpanEndpointsConfig',
    doc('KubeSpanEndpointsConfig', 'extraAnnouncedEndpoints: [10.0.0.1:51820]\n'),
    doc('KubeSpanEndpointsConfig', 'extraAnnouncedEndpoints: ["[fd00::1]:51820"]\n'),
  ),
  documents(
    'KernelModuleConfig',
    doc('KernelModuleConfig', 'name: zfs\nparameters: [a=1]\n'),
    doc('KernelModuleConfig', 'name: zfs\nparameters: [b=2]\n'),
  ),
  documents(
    'LVMVolumeGroupConfig',
    doc('LVMVolumeGroupConfig', 'name: vg0\nprovisioning:\n  volumeSelector:\n    match: volume.partition_label == "pv"\n'),
    doc('LVMVolumeGroupConfig', 'name: vg0\nprovisioning:\n  volumeSelector:\n    match: volume.partition_label == "pv2"\n'),
  ),
  documents(
    'LVMLogicalVolumeConfig',
    doc('LVMLogicalVolumeConfig', 'name: lv0\ntype: linear\nprovisioning:\n  volumeGroup: vg0\n'),
    doc('LVMLogicalVolumeConfig', 'name: lv0\ntype: raid1\nmirrors: 1\n'),
  ),
  documents(
    'OOMConfig',
    doc('OOMConfig', 'sampleInterval: 1s\n'),
    doc('OOMConfig', 'sampleInterval: 2s\nstrictCgroupClassOrdering: true\n'),
  ),
  documents(
    'PCIDriverRebindConfig',
    doc('PCIDriverRebindConfig', 'name: 0000:04:00.0\ntargetDriver: vfio-pci\n'),
    doc('PCIDriverRebindConfig', 'name: 0000:04:00.0\ntargetDriver: uio\n'),
  ),
  documents(
    'RAIDArrayConfig',
    doc('RAIDArrayConfig', 'name: md0\nlevel: raid1\nprovisioning:\n  volumeSelector:\n    match: disk.rotational\n'),
    doc('RAIDArrayConfig', 'name: md0\nmetadata: "1.2"\nprovisioning:\n  volumeSelector:\n    match: "!disk.rotational"\n'),
  ),
  documents(
    'RawVolumeConfig',
    doc('RawVolumeConfig', 'name: raw\nprovisioning:\n  diskSelector:\n    match: "!system_disk"\n  minSize: 1GB\n'),
    doc('RawVolumeConfig', 'name: raw\nprovisioning:\n  diskSelector:\n    match: "!system_disk"\n  minSize: 2GB\n  grow: true\n'),
  ),
  documents(
    'RegistryAuthConfig',
    doc('RegistryAuthConfig', 'name: docker.io\nusername: a\npassword: b\n'),
    doc('RegistryAuthConfig', 'name: docker.io\npassword: c\n'),
  ),
  documents(
    'RegistryTLSConfig',
    doc('RegistryTLSConfig', 'name: registry.local\ninsecureSkipVerify: true\n'),
    doc('RegistryTLSConfig', 'name: registry.local\ninsecureSkipVerify: false\nca: |\n  -----BEGIN CERTIFICATE-----\n'),
  ),
  documents(
    'RoutingRuleConfig',
    doc('RoutingRuleConfig', 'name: "1000"\nsrc: 10.0.0.0/8\ntable: "100"\n'),
    doc('RoutingRuleConfig', 'name: "1000"\ntable: "200"\naction: blackhole\n'),
  ),
  documents(
    'SideroLinkConfig',
    doc('SideroLinkConfig', 'apiUrl: https://siderolink.example.org/?jointoken=a\n'),
    doc('SideroLinkConfig', 'apiUrl: https://siderolink.example.org/?jointoken=b\nuniqueToken: c\n'),
  ),
  documents('SysfsConfig', doc('SysfsConfig', 'params:\n  a.b: c\n'), doc('SysfsConfig', 'params:\n  a.b: d\n  e.f: g\n')),
  documents(
    'TCPProbeConfig',
    doc('TCPProbeConfig', 'name: dns\nendpoint: 10.0.0.1:53\ninterval: 1s\n'),
    doc('TCPProbeConfig', 'name: dns\nfailureThreshold: 2\n'),
  ),
  documents('VRFConfig', doc('VRFConfig', 'name: vrf0\nlinks: [eth1]\ntable: "100"\n'), doc('VRFConfig', 'name: vrf0\nlinks: [eth2]\n')),
  documents(
    'VethConfig',
    doc('VethConfig', 'name: veth0\npeer:\n  name: veth1\n'),
    doc('VethConfig', 'name: veth0\nmtu: 1400\npeer:\n  name: veth2\n'),
  ),
  documents(
    'DummyLinkConfig',
    doc('DummyLinkConfig', 'name: dummy0\naddresses:\n  - address: 10.0.0.1/32\n'),
    doc('DummyLinkConfig', 'name: dummy0\nup: true\n'),
  ),
  documents(
    'HCloudVIPConfig',
    doc('HCloudVIPConfig', 'name: 10.0.0.5\nlink: eth0\napiToken: a\n'),
    doc('HCloudVIPConfig', 'name: 10.0.0.5\napiToken: b\n'),
  ),
  legacy(
    'extra arguments of every component',
    'cluster:\n  controllerManager:\n    extraArgs:\n      a: b\n  scheduler:\n    extraArgs:\n      a: b\n  etcd:\n    extraArgs:\n      a: b\n  proxy:\n    extraArgs:\n      a: b\n',
    'cluster:\n  controllerManager:\n    extraArgs:\n      a: c\n  scheduler:\n    extraArgs:\n      d: e\n  etcd:\n    extraArgs:\n      a: ""\n  proxy:\n    extraArgs:\n      a: f\n',
  ),
  // found by random.ts
  legacy(
    'a text block that the patch ends in',
    'machine:\n  files:\n    - path: /var/x\n      op: create\n      content: |\n        [a]\n          b = 1',
  ),
  legacy('a folded block that the patch ends in', 'machine:\n  nodeAnnotations:\n    a: >\n      one\n      two'),
  legacy('lists of manifests without entries', 'machine:\n  seccompProfiles: []\ncluster:\n  extraManifests: []\n  adminKubeconfig: {}\n'),
  legacy('durations that are zero', 'machine:\n  time:\n    bootTimeout: 0s\ncluster:\n  adminKubeconfig:\n    certLifetime: 0s\n'),
  legacy('half of a certificate', 'machine:\n  ca:\n    key: aGVsbG8=\n'),
  legacy('half of a certificate deleted', 'machine:\n  ca:\n    key:\n      $patch: delete\n'),
  legacy('a whole certificate deleted', 'machine:\n  ca:\n    $patch: delete\n'),
  legacy('an empty half of a certificate', 'machine:\n  ca:\n    crt: ""\n    key: aGVsbG8=\n'),
  legacy(
    'a partition without a size',
    'machine:\n  disks:\n    - device: /dev/sdb\n      partitions:\n        - mountpoint: /var/a\n          size: 0\n',
  ),
  legacy(
    'a whole number over a fraction',
    'machine:\n  kubelet:\n    extraConfig:\n      a: 1.5\n',
    'machine:\n  kubelet:\n    extraConfig:\n      a: 2\n',
  ),
  legacy(
    'an endpoint with a path',
    'cluster:\n  controlPlane:\n    endpoint: https://10.0.0.1:6443/k8s\n',
    'cluster:\n  controlPlane:\n    endpoint: https://10.0.0.2\n',
  ),
  legacy('merge keys and anchors', 'machine:\n  sysctls: &all\n    a.b: "1"\n  sysfs: *all\n'),
  legacy('windows line ends', 'machine:\r\n  sysctls:\r\n    a.b: "1"\r\n    c.d: x\r\n'),
  legacy('a byte-order mark', '\uFEFFmachine:\n  sysctls:\n    a.b: "1"\n'),
  legacy('a tab between key and value', 'machine:\n  sysctls:\n    a.b:\t"1"\n'),
  legacy('a tab that indents', 'machine:\n\tsysctls:\n\t\ta.b: "1"\n'),
  legacy('a key twice', 'machine:\n  sysctls:\n    a.b: "1"\n    a.b: "2"\n'),
  documents(
    'a URL keeps the query that the new one leaves out',
    doc('SideroLinkConfig', 'apiUrl: grpc://10.0.0.1:8080/a?jointoken=x\n'),
    doc('SideroLinkConfig', 'apiUrl: grpc://10.0.0.2:8080\n'),
  ),
  documents(
    'networks in capitals',
    doc(
      'LinkConfig',
      'name: eth0\naddresses:\n  - address: FD00:0::0010/64\nroutes:\n  - destination: 2001:DB8::/32\n    gateway: FD00::1\n',
    ),
  ),
  documents('a hardware address without colons', doc('DummyLinkConfig', 'name: dummy0\nhardwareAddr: AABBCC001122\n')),
  documents('a hardware address with dashes', doc('DummyLinkConfig', 'name: dummy0\nhardwareAddr: aa-bb-cc-00-11-22\n')),
  documents('the name of a mode in capitals', doc('BondConfig', 'name: bond0\nlinks: [eth0]\nbondMode: ACTIVE-BACKUP\n')),
  documents(
    'a case-sensitive name in capitals',
    doc('BondConfig', 'name: bond0\nlinks: [eth0]\nbondMode: active-backup\nfailOverMac: ACTIVE\n'),
  ),
  documents(
    'an encryption without provider',
    doc(
      'UserVolumeConfig',
      'name: scratch\nprovisioning:\n  diskSelector:\n    match: system_disk\n  minSize: 1GB\nencryption:\n  cipher: aes\n',
    ),
  ),
  documents(
    'a volume with an empty section',
    doc(
      'UserVolumeConfig',
      'name: scratch\nprovisioning:\n  diskSelector:\n    match: system_disk\n  minSize: 1GB\nmount: {}\nfilesystem: {}\n',
    ),
  ),
  documents('a feature without a value', doc('EthernetConfig', 'name: eth0\nfeatures:\n  tx-checksum: ~\n  rx-gro: true\n')),
  documents(
    'rules of images',
    doc('ImageVerificationConfig', 'rules:\n  - image: a\n    skip: true\n  - image: b\n    deny: true\n  - image: a\n    deny: true\n'),
    doc('ImageVerificationConfig', 'rules:\n  - image: a\n    deny: false\n  - image: c\n    skip: true\n  - image: c\n    deny: true\n'),
  ),
  documents('two kinds of one link', doc('LinkConfig', 'name: eth0\n'), doc('DummyLinkConfig', 'name: eth0\n')),
  documents(
    'two kinds of one link in one patch',
    `${doc('BondConfig', 'name: x0\nlinks: [eth1]\nbondMode: 802.3ad\n')}---\n${doc('VLANConfig', 'name: x0\nvlanID: 1\nparent: eth0\n')}`,
  ),
  documents(
    'two kinds of one volume',
    doc('ExistingVolumeConfig', 'name: data\ndiscovery:\n  volumeSelector:\n    match: volume.partition_label == "x"\n'),
  ),
  documents(
    'two kinds of one address',
    doc('Layer2VIPConfig', 'name: 10.0.0.5\nlink: eth0\n'),
    doc('HCloudVIPConfig', 'name: 10.0.0.5\nlink: eth0\napiToken: x\n'),
  ),
  documents('delete within a missing document', doc('DummyLinkConfig', 'name: dummy9\nmtu:\n  $patch: delete\n')),
  documents(
    'delete alone in a document with a selector',
    doc('UserVolumeConfig', 'name: data\nfilesystem:\n  $patch: delete\n'),
    doc('HostnameConfig', 'auto:\n  $patch: delete\nhostname: x\n'),
  ),
  documents('delete alone in a document without a selector', doc('EthernetConfig', 'name: eth0\nrings:\n  $patch: delete\n')),
  documents(
    'delete an element by an empty address',
    doc('LinkConfig', 'name: eth0\naddresses:\n  - routePriority: 5\n'),
    doc('LinkConfig', 'name: eth0\naddresses:\n  - address: ""\n    $patch: delete\n'),
  ),
  documents('a percentage over a size', doc('UserVolumeConfig', 'name: data\nprovisioning:\n  maxSize: 80%\n')),
  documents(
    'a size over a percentage',
    doc('UserVolumeConfig', 'name: half\nprovisioning:\n  diskSelector:\n    match: "!system_disk"\n  maxSize: 50%\n'),
    doc('UserVolumeConfig', 'name: half\nprovisioning:\n  diskSelector:\n    match: "!system_disk"\n  maxSize: 50GiB\n'),
  ),
  legacy(
    'fractions over fractions',
    'machine:\n  kubelet:\n    extraConfig:\n      a: 1.5\n      b: 0.25\n',
    'machine:\n  kubelet:\n    extraConfig:\n      a: 2.5\n      b: 0.75\n',
  ),
  legacy('an empty element of a list', 'machine:\n  kubelet:\n    extraMounts:\n      - ~\n'),
  legacy('an empty element of a list of pointers', 'machine:\n  network:\n    interfaces:\n      - ~\n'),
  legacy('a date as an argument', 'cluster:\n  apiServer:\n    extraArgs:\n      x: 2020-01-01\n'),
  // JSON patches
  single('add', '- op: add\n  path: /machine/network\n  value:\n    hostname: x\n'),
  single('add to the end of a list', '[{"op":"add","path":"/machine/certSANs/-","value":"c"}]'),
  single('add into a list', '[{"op":"add","path":"/machine/certSANs/0","value":"c"}]'),
  single('replace', '- op: replace\n  path: /machine/token\n  value: zzzzzz.0123456789abcdef\n'),
  single('remove', '- op: remove\n  path: /machine/certSANs/0\n'),
  single('remove what is not there', '- op: remove\n  path: /machine/kubelet\n'),
  single(
    'test and replace',
    '- op: test\n  path: /machine/type\n  value: worker\n- op: replace\n  path: /machine/type\n  value: controlplane\n',
  ),
  single('replace what is not there', '- op: replace\n  path: /machine/time\n  value:\n    disabled: true\n'),
  single('copy what is not there', '- op: copy\n  from: /machine/time\n  path: /machine/kubelet\n'),
  single(
    'test that something is not there',
    '- op: test\n  path: /machine/time\n  value: null\n- op: add\n  path: /machine/time\n  value:\n    disabled: true\n',
  ),
  single('replace beyond the end of a list', '- op: replace\n  path: /machine/certSANs/9\n  value: x\n'),
  single('a test that fails', '- op: test\n  path: /machine/type\n  value: controlplane\n'),
  single('move', '- op: move\n  from: /machine/sysctls\n  path: /machine/sysfs\n'),
  single('copy', '- op: copy\n  from: /machine/sysctls\n  path: /machine/sysfs\n'),
  single('an escaped key', '- op: add\n  path: /machine/sysctls/a~1b\n  value: "2"\n'),
  single('a strategic patch after a JSON patch', '- op: remove\n  path: /machine/sysctls\n', 'machine:\n  sysctls:\n    y: "2"\n'),
  single('an unknown key by JSON', '- op: add\n  path: /machine/nothing\n  value: 1\n'),
];
