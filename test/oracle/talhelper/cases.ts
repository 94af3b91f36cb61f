import { homes } from './homes.ts';

export interface TalhelperCase {
  readonly name: string;
  /** Below `nodes` and the keys that every case has. Written at the top level. */
  readonly talconfig: string;
  readonly files?: Readonly<Record<string, string>>;
  /** Keys that this refusal is about. */
  readonly refuses?: readonly string[];
  /** Contracts to record; default all. */
  readonly contracts?: readonly Contract[];
}

export type Contract = '1.11' | '1.12' | '1.13';
export const contracts: readonly Contract[] = ['1.11', '1.12', '1.13'];
export const versions: Readonly<Record<Contract | '1.14', { readonly talos: string; readonly kubernetes: string }>> = {
  '1.11': { talos: 'v1.11.6', kubernetes: 'v1.34.1' },
  '1.12': { talos: 'v1.12.6', kubernetes: 'v1.35.2' },
  '1.13': { talos: 'v1.13.9', kubernetes: 'v1.36.3' },
  // Only for our own output: talhelper cannot make it.
  '1.14': { talos: 'v1.14.1', kubernetes: 'v1.37.0' },
};

export const header = (contract: Contract | '1.14') => `clusterName: home
talosVersion: ${versions[contract].talos}
kubernetesVersion: ${versions[contract].kubernetes}
endpoint: https://192.168.42.120:6443
`;

const controlPlane = (rest = '') => `  - hostname: cp-1
    ipAddress: 192.168.42.10
    controlPlane: true
    installDisk: /dev/sda
${indent(rest)}`;
const worker = (rest = '') => `  - hostname: worker-1
    ipAddress: 192.168.42.20
    controlPlane: false
    installDisk: /dev/nvme0n1
${indent(rest)}`;
const indent = (text: string) => text.replace(/^(?=.)/gm, '    ');
const nodes = (cp = '', wk = '') => `nodes:\n${controlPlane(cp)}${worker(wk)}`;

const both = (name: string, rest: string, more: Partial<TalhelperCase> = {}): TalhelperCase => ({
  name,
  talconfig: nodes(rest, rest),
  ...more,
});
const cluster = (name: string, rest: string, more: Partial<TalhelperCase> = {}): TalhelperCase => ({
  name,
  talconfig: `${rest}${nodes()}`,
  ...more,
});

export const talhelperCases: readonly TalhelperCase[] = [
  cluster(
    'manifests and files of YAML are written anew',
    'inlineManifests:\n  - name: one\n    contents: "@./one.yaml"\n  - name: nothing\n    contents: "@./two.yaml"\ncontrolPlane:\n  machineFiles:\n    - { content: "@./file.yaml", permissions: 0o600, path: /var/file, op: create }\n',
    {
      files: {
        'one.yaml':
          '---\n# why\napiVersion:   v1 # inline\nkind: "Namespace"\n\nmetadata: { name:   a, labels: {"x": \'y\' } }\n\n---\ndata:\n- a\n-   b: |-\n      # no comment\n\n      text\n    c: >-\n      folded\n      text\n    d:\n    e: ~\n    f: &anchor 0o17\n    g: *anchor\n    h: "tab\\tand é"\n    i: !!str 1\n    ? [complex]\n    : x\n- - nested\n  - list\n- []\n- {}\n',
        'two.yaml':
          'a: ${COLOR:-blue} # $comment\nb:\n    - long text that goes on and on and on and on and on and on and on and on and on and on and on until it is too long for a line\n',
        'file.yaml': '# head\nkey:    value\nlist:\n- 1\n',
      },
    },
  ),
  cluster('nothing but what is required', ''),
  cluster('domain', 'domain: cluster.home\n'),
  cluster('scheduling on masters', 'allowSchedulingOnMasters: true\n'),
  cluster('scheduling on control planes', 'allowSchedulingOnControlPlanes: true\n'),
  cluster(
    'names for certificates',
    'additionalMachineCertSans: [10.0.0.1, home.example]\nadditionalApiServerCertSans: [127.0.0.1, api.example, 192.168.42.120]\n',
  ),
  cluster('pod and service networks', 'clusterPodNets: [10.42.0.0/16, "fd42::/56"]\nclusterSvcNets: [10.43.0.0/16, "fd43::/112"]\n'),
  cluster('cni none', 'cniConfig:\n  name: none\n'),
  cluster('cni custom', 'cniConfig:\n  name: custom\n  urls:\n    - https://example.org/cni.yaml\n    - https://example.org/cni2.yaml\n'),
  cluster('cni flannel', 'cniConfig:\n  name: flannel\n  flannel:\n    extraArgs: [--iface-can-reach=192.168.1.1]\n'),
  cluster(
    'inline manifests',
    'inlineManifests:\n  - name: one\n    contents: |\n      apiVersion: v1\n      kind: Namespace\n      metadata:\n        name: one\n  - name: two\n    contents: "@./two.yaml"\n  - name: three\n    contents: "@three.yaml"\n    skipEnvsubst: true\n',
    {
      files: {
        'two.yaml': 'kind: ConfigMap # $comment\ndata:\n  a: ${COLOR}\n',
        'three.yaml': 'proxy: pass $uri\n',
        'talenv.yaml': 'COLOR: blue\n',
      },
    },
  ),
  cluster('cluster patches', 'patches:\n  - |-\n    machine:\n      sysctls:\n        vm.nr_hugepages: 1024\n  - "@patches/ntp.yaml"\n', {
    files: { 'patches/ntp.yaml': 'machine:\n  time:\n    servers: [time.cloudflare.com]\n' },
  }),
  {
    name: 'the cluster patch wins over the node patch',
    talconfig: `patches:\n  - |-\n    machine:\n      sysctls:\n        a.b: cluster\n${nodes('patches:\n  - |-\n    machine:\n      sysctls:\n        a.b: node\n        c.d: node\n')}controlPlane:\n  patches:\n    - |-\n      machine:\n        sysctls:\n          c.d: group\n          e.f: group\n`,
  },
  {
    name: 'group and node patches append in order',
    talconfig: `${nodes('patches:\n  - |-\n    machine:\n      certSANs: [node]\n', '')}controlPlane:\n  patches:\n    - |-\n      machine:\n        certSANs: [group]\nworker:\n  patches:\n    - |-\n      machine:\n        certSANs: [worker-group]\n`,
  },
  {
    name: 'patches that override those of the group',
    talconfig: `${nodes('overridePatches: true\npatches:\n  - |-\n    machine:\n      certSANs: [node]\n', '')}controlPlane:\n  patches:\n    - |-\n      machine:\n        certSANs: [group]\n`,
  },
  {
    name: 'names for the machine certificate of node and group',
    talconfig: `additionalMachineCertSans: [all]\n${nodes('certSANs: [node-1, node-2]\n', 'overrideMachineCertSANs: true\ncertSANs: [own]\n')}controlPlane:\n  certSANs: [group, node-1]\nworker:\n  certSANs: [worker-group]\n`,
  },
  {
    name: 'a node replaces the maps and lists of its group',
    talconfig: `${nodes('nodeLabels:\n  a: node\nnameservers: [9.9.9.9]\n', '')}controlPlane:\n  nodeLabels:\n    a: group\n    b: group\n  nameservers: [1.1.1.1]\nworker:\n  nodeLabels:\n    c: group\n  nameservers: [8.8.8.8]\n  disableSearchDomain: true\n`,
  },
  both(
    'labels, annotations, taints',
    'nodeLabels:\n  zone: a\n  "node-role.kubernetes.io/worker": ""\nnodeAnnotations:\n  note: "1"\n  "example.org/x": yes\nnodeTaints:\n  dedicated: gpu:NoSchedule\n',
  ),
  both('ignore host name', 'ignoreHostname: true\n'),
  both('name servers', 'nameservers: [1.1.1.1, "2606:4700:4700::1111"]\n'),
  both('search domain off', 'disableSearchDomain: true\n'),
  both('name servers and search domain', 'nameservers: [1.1.1.1]\ndisableSearchDomain: true\n'),
  both('kernel modules', 'kernelModules:\n  - name: br_netfilter\n    parameters: [nf_conntrack_max=131072]\n  - name: zfs\n'),
  both(
    'machine files',
    'machineFiles:\n  - content: |\n      [metrics]\n        address = "0.0.0.0:11234"\n    permissions: 0o644\n    path: /etc/cri/conf.d/metrics.toml\n    op: create\n  - content: "@./files/nfs.conf"\n    permissions: 0644\n    path: /etc/nfsmount.conf\n    op: overwrite\n  - content: "@./files/raw.conf"\n    permissions: 420\n    path: /var/raw\n    op: append\n    skipEnvsubst: true\n',
    {
      files: { 'files/nfs.conf': 'nfsvers: ${VERSION}\nhard: true\n', 'files/raw.conf': 'a $b ${c}\n', 'talenv.yaml': 'VERSION: "4.2"\n' },
    },
  ),
  both(
    'machine disks',
    'machineDisks:\n  - device: /dev/sdb\n    partitions:\n      - mountpoint: /var/mnt/a\n        size: 100GB\n      - mountpoint: /var/mnt/b\n',
  ),
  {
    name: 'a disk by its selector',
    talconfig: `nodes:\n  - hostname: cp-1\n    ipAddress: 192.168.42.10\n    controlPlane: true\n    installDiskSelector:\n      size: "<= 1TB"\n      model: WDC*\n      serial: ABC\n      type: nvme\n      busPath: /pci0000:00/*\n  - hostname: worker-1\n    ipAddress: 192.168.42.20, fd00::20\n    controlPlane: false\n    installDiskSelector:\n      wwid: naa.1\n      uuid: abc\n      modalias: x*\n`,
  },
  both(
    'addresses and routes',
    'networkInterfaces:\n  - interface: eth0\n    dhcp: false\n    addresses: [192.168.42.10/24, "fd00::10/64", 10.9.9.9]\n    routes:\n      - network: 0.0.0.0/0\n        gateway: 192.168.42.1\n        metric: 100\n      - network: 10.0.0.0/8\n        gateway: 192.168.42.2\n        source: 192.168.42.10\n        mtu: 1400\n      - network: "::/0"\n        gateway: fd00::1\n    mtu: 9000\n',
  ),
  both(
    'dhcp',
    'networkInterfaces:\n  - interface: eth0\n    dhcp: true\n    dhcpOptions:\n      routeMetric: 50\n      ipv4: true\n      ipv6: true\n  - interface: eth1\n    dhcp: true\n  - interface: eth2\n    dhcp: true\n    dhcpOptions:\n      routeMetric: 0\n      ipv4: false\n      ipv6: true\n',
  ),
  {
    name: 'a virtual address',
    talconfig: nodes('networkInterfaces:\n  - interface: eth0\n    dhcp: true\n    vip:\n      ip: 192.168.42.120\n'),
  },
  both(
    'vlans',
    'networkInterfaces:\n  - interface: eth0\n    dhcp: false\n    addresses: [192.168.42.10/24]\n    vlans:\n      - vlanId: 100\n        addresses: [10.100.0.10/24]\n        mtu: 1400\n        routes:\n          - network: 10.200.0.0/16\n            gateway: 10.100.0.1\n      - vlanId: 200\n        dhcp: true\n        dhcpOptions:\n          routeMetric: 10\n',
  ),
  {
    name: 'a virtual address on a vlan',
    talconfig: nodes(
      'networkInterfaces:\n  - interface: eth0\n    dhcp: true\n    vlans:\n      - vlanId: 7\n        dhcp: true\n        vip:\n          ip: 10.7.0.120\n',
    ),
  },
  both(
    'selected devices',
    'networkInterfaces:\n  - deviceSelector:\n      hardwareAddr: "aa:bb:cc:*"\n    dhcp: true\n  - deviceSelector:\n      driver: ixgbe\n      busPath: "0*"\n      physical: true\n    addresses: [10.0.0.5/24]\n  - deviceSelector:\n      permanentAddr: "aa:bb:cc:dd:ee:ff"\n      pciID: "8086:*"\n      physical: false\n    mtu: 9000\n',
  ),
  both(
    'a bond',
    'networkInterfaces:\n  - interface: bond0\n    dhcp: true\n    mtu: 9000\n    bond:\n      interfaces: [eth0, eth1]\n      mode: 802.3ad\n      xmitHashPolicy: layer3+4\n      lacpRate: fast\n      miimon: 100\n      updelay: 200\n      downdelay: 200\n',
  ),
  both(
    'every number of a bond',
    'networkInterfaces:\n  - interface: bond0\n    addresses: [10.0.0.5/24]\n    bond:\n      interfaces: [eth0, eth1]\n      mode: active-backup\n      primaryReselect: better\n      failOverMac: active\n      resendIgmp: 2\n      minLinks: 1\n      lpInterval: 2\n      numPeerNotif: 4\n      allSlavesActive: 1\n      useCarrier: true\n      miimon: 100\n      updelay: 200\n      peerNotifyDelay: 200\n',
  ),
  both(
    'a bond by LACP',
    'networkInterfaces:\n  - interface: bond0\n    addresses: [10.0.0.5/24]\n    bond:\n      interfaces: [eth0, eth1]\n      mode: 802.3ad\n      adSelect: bandwidth\n      lacpRate: slow\n      miimon: 100\n      adActorSysPrio: 10\n      adUserPortKey: 11\n',
  ),
  both(
    'a bond by round robin',
    'networkInterfaces:\n  - interface: bond0\n    addresses: [10.0.0.5/24]\n    bond:\n      interfaces: [eth0, eth1]\n      mode: balance-rr\n      packetsPerSlave: 3\n      miimon: 50\n  - interface: bond1\n    dhcp: true\n    bond:\n      interfaces: [eth2, eth3]\n      mode: balance-tlb\n      tlbDynamicLb: 1\n      miimon: 50\n',
  ),
  both(
    'a bond of selected devices',
    'networkInterfaces:\n  - interface: bond0\n    dhcp: true\n    bond:\n      deviceSelectors:\n        - hardwareAddr: "00:50:56:*"\n          driver: hv_netvsc\n        - hardwareAddr: "00:50:57:*"\n      mode: active-backup\n    vlans:\n      - vlanId: 42\n        dhcp: true\n',
  ),
  both(
    'a bridge',
    'networkInterfaces:\n  - interface: br0\n    dhcp: true\n    bridge:\n      interfaces: [eth0, eth1]\n      stp:\n        enabled: true\n      vlan:\n        vlanFiltering: true\n  - interface: br1\n    addresses: [10.0.0.1/24]\n    bridge:\n      interfaces: [eth2]\n',
  ),
  both(
    'wireguard',
    'networkInterfaces:\n  - interface: wg0\n    addresses: [10.254.0.1/24]\n    mtu: 1420\n    wireguard:\n      privateKey: 8Kz0pGvZ7pXDaJRIYcRx2cpnTqYyMNrAiCrbiGdnO3c=\n      listenPort: 51820\n      firewallMark: 1\n      peers:\n        - publicKey: 2K1eEqP5DkIP5yTZ1RTTzpUmRs3zdrC1VlpT6TrxUCQ=\n          endpoint: 10.0.0.2:51820\n          persistentKeepaliveInterval: 25s\n          allowedIPs: [10.254.0.2/32, "fd01::/64"]\n',
  ),
  both(
    'firewall',
    'ingressFirewall:\n  defaultAction: block\n  rules:\n    - name: kubelet\n      portSelector:\n        ports: [10250, 30000-32767]\n        protocol: tcp\n      ingress:\n        - subnet: 192.168.42.0/24\n          except: 192.168.42.5/32\n    - name: vxlan\n      portSelector:\n        ports: [8472]\n        protocol: udp\n      ingress:\n        - subnet: 10.0.0.0/8\n',
  ),
  both('firewall that accepts', 'ingressFirewall:\n  defaultAction: accept\n'),
  both(
    'extension services',
    'extensionServices:\n  - name: nut-client\n    configFiles:\n      - content: MONITOR ups@nas 1 remote pass password\n        mountPath: /usr/local/etc/nut/upsmon.conf\n    environment: [UPS=nas]\n  - name: tailscale\n    environment: [TS_AUTHKEY=x, TS_ROUTES=10.0.0.0/8]\n',
  ),
  both(
    'volumes',
    'volumes:\n  - name: EPHEMERAL\n    provisioning:\n      diskSelector:\n        match: disk.transport == "nvme"\n      maxSize: 50GiB\n      grow: false\n  - name: STATE\n    encryption:\n      provider: luks2\n      keys:\n        - slot: 0\n          nodeID: {}\n',
  ),
  both(
    'user volumes',
    'userVolumes:\n  - name: data\n    provisioning:\n      diskSelector:\n        match: "!system_disk"\n      minSize: 10GB\n      maxSize: 2TiB\n    filesystem:\n      type: ext4\n    encryption:\n      provider: luks2\n      keys:\n        - slot: 0\n          static:\n            passphrase: secret\n        - slot: 1\n          tpm: {}\n      cipher: aes-xts-plain64\n      keySize: 256\n      blockSize: 4096\n      options: [no_read_workqueue]\n  - name: local\n    volumeType: directory\n',
  ),
  both(
    'a schematic',
    'schematic:\n  customization:\n    extraKernelArgs: [-lockdown, net.ifnames=0]\n    systemExtensions:\n      officialExtensions: [siderolabs/i915, siderolabs/intel-ucode]\n    meta:\n      - key: 0x0a\n        value: "{}"\n    bootloader: sd-boot\n    secureboot:\n      includeWellKnownCertificates: true\n',
  ),
  both(
    'a schematic with an overlay',
    'schematic:\n  overlay:\n    image: siderolabs/sbc-raspberrypi\n    name: rpi_generic\n    options:\n      configTxt: arm_64bit=1\nmachineSpec:\n  arch: arm64\n',
  ),
  both(
    'kernel arguments in the UKI',
    'schematic:\n  customization:\n    extraKernelArgs: [quiet]\nmachineSpec:\n  secureboot: true\n  useUKI: true\n',
  ),
  both('another platform', 'machineSpec:\n  mode: nocloud\n  secureboot: true\n'),
  both(
    "an image of one's own",
    'talosImageURL: registry.example.org/installer/abc\nschematic:\n  customization:\n    extraKernelArgs: [x]\n',
  ),
  both('the image of a boot medium', 'imageSchematic:\n  customization:\n    extraKernelArgs: [boot]\n'),
  both('no check of the schematic', 'noSchematicValidate: true\n'),
  cluster(
    "an image factory of one's own",
    'imageFactory:\n  registryURL: factory.example.org\n  protocol: http\n  schematicEndpoint: /v1/schematics\n  installerURLTmpl: "{{.RegistryURL}}/x/{{.ID}}:{{.Version}}"\n',
  ),
  both('a file name', 'filenameTmpl: "{{ .Role }}-{{.Hostname}}.{{ .ClusterName }}.yaml"\n'),
  both('extra manifests', 'extraManifests:\n  - extra/watchdog.yaml\n  - "@./extra/kmsg.yaml"\n', {
    files: {
      'extra/watchdog.yaml': '---\napiVersion: v1alpha1\nkind: WatchdogTimerConfig\ndevice: /dev/watchdog0\ntimeout: 5m\n',
      'extra/kmsg.yaml': 'apiVersion: v1alpha1\nkind: KmsgLogConfig\nname: remote\nurl: tcp://10.0.0.1:1514/\n',
    },
  }),
  {
    name: 'a JSON patch that goes on with the list that it has made',
    talconfig: `${nodes()}patches:
  - |-
    - op: add
      path: /cluster/extraManifests
      value: []
    - op: add
      path: /cluster/extraManifests/-
      value: https://example.org/a.yaml
    - op: add
      path: /machine/sysctls
      value: {}
    - op: add
      path: /machine/sysctls/vm.nr_hugepages
      value: "1024"
`,
  },
  both('extra manifests with comments and quotes', 'extraManifests: [extra/all.yaml, extra/log.yaml]\n', {
    files: {
      'extra/all.yaml':
        '---\n# of the watchdog\napiVersion: "v1alpha1"   # quoted\nkind: \'WatchdogTimerConfig\'\n\n# the device\ndevice: /dev/watchdog0\ntimeout: 5m # long\n---\napiVersion: v1alpha1\nkind: ExtensionServiceConfig\nname: ups\nconfigFiles:\n  # first\n  - content: |-\n      MODE=netclient \n      a: b\n    mountPath: /a\n  - # second\n    mountPath: "/b"\n    content: >\n      folded\n      text\nenvironment: ["A=1", \'B=2\', C=a:b] # flow\n',
      'extra/log.yaml': '# for all\napiVersion: v1alpha1\nkind: KmsgLogConfig\nname: "remote" # here\nurl: "tcp://10.0.0.1:1514/"\n',
    },
  }),
  {
    name: 'variables',
    talconfig: `domain: \${DOMAIN}\n${nodes('nodeLabels:\n  a: ${A}\n  b: "${B:-fallback}"\n  c: ${A:+there}\n  d: x${E}y\n  # e: ${MISSING}\n', 'patches:\n  - |-\n    machine:\n      network:\n        $$patch: delete\n      sysctls:\n        cost: "$$5"\n')}`,
    files: { 'talenv.yaml': '---\nDOMAIN: cluster.lan\nA: one # comment\nE: "in"\n' },
  },
  {
    name: 'deletions in patches',
    talconfig: nodes(
      'patches:\n  - |-\n    cluster:\n      apiServer:\n        admissionControl:\n          $$patch: delete\n  - "@./delete.yaml"\n',
    ),
    files: {
      'delete.yaml': 'machine:\n  nodeLabels:\n    node.kubernetes.io/exclude-from-external-load-balancers:\n      $$patch: delete\n',
    },
  },
  {
    name: 'documents in patches',
    talconfig: nodes(
      'patches:\n  - |-\n    apiVersion: v1alpha1\n    kind: WatchdogTimerConfig\n    device: /dev/watchdog0\n  - "@./rules.yaml"\n',
    ),
    files: {
      'rules.yaml':
        'apiVersion: v1alpha1\nkind: NetworkDefaultActionConfig\ningress: block\n---\napiVersion: v1alpha1\nkind: NetworkRuleConfig\nname: api\nportSelector:\n  ports: [50000]\n  protocol: tcp\ningress:\n  - subnet: 192.168.0.0/16\n',
    },
  },
  {
    name: 'a JSON patch',
    talconfig: nodes(
      'patches:\n  - |-\n    - op: add\n      path: /machine/kubelet/extraArgs\n      value:\n        rotate-server-certificates: "true"\n    - op: remove\n      path: /cluster/apiServer/admissionControl\n',
    ),
    contracts: ['1.11'],
  },
  both(
    'what real repositories patch',
    'patches:\n  - |-\n    machine:\n      kubelet:\n        nodeIP:\n          validSubnets: [192.168.42.0/24]\n        extraConfig:\n          maxPods: 150\n          featureGates:\n            UserNamespacesSupport: true\n        extraMounts:\n          - destination: /var/openebs/local\n            type: bind\n            source: /var/openebs/local\n            options: [bind, rshared, rw]\n      features:\n        hostDNS:\n          enabled: true\n          resolveMemberNames: true\n          forwardKubeDNSToHost: false\n      sysctls:\n        fs.inotify.max_user_watches: 1048576\n        net.ipv4.ping_group_range: 0 2147483647\n      sysfs:\n        devices.system.cpu.cpu0.cpufreq.scaling_governor: performance\n      udev:\n        rules:\n          - SUBSYSTEM=="drm", KERNEL=="renderD*", GROUP="44", MODE="0660"\n',
  ),
  {
    name: 'what real repositories patch on control planes',
    talconfig: nodes(
      'patches:\n  - |-\n    cluster:\n      allowSchedulingOnControlPlanes: true\n      proxy:\n        disabled: true\n      coreDNS:\n        disabled: true\n      controllerManager:\n        extraArgs:\n          bind-address: 0.0.0.0\n      scheduler:\n        extraArgs:\n          bind-address: 0.0.0.0\n        config:\n          apiVersion: kubescheduler.config.k8s.io/v1\n          kind: KubeSchedulerConfiguration\n          profiles:\n            - schedulerName: default-scheduler\n              pluginConfig:\n                - name: PodTopologySpread\n                  args:\n                    defaultingType: List\n                    defaultConstraints:\n                      - maxSkew: 1\n                        topologyKey: kubernetes.io/hostname\n                        whenUnsatisfiable: ScheduleAnyway\n      etcd:\n        extraArgs:\n          listen-metrics-urls: http://0.0.0.0:2381\n        advertisedSubnets: [192.168.42.0/24]\n      apiServer:\n        extraArgs:\n          feature-gates: A=true,B=true\n',
    ),
  },
  {
    name: 'several nodes of each role',
    talconfig: `nodes:\n${[1, 2, 3].map((number) => `  - hostname: cp-${number}\n    ipAddress: 192.168.42.1${number}\n    controlPlane: true\n    installDisk: /dev/sda\n`).join('')}${[1, 2].map((number) => `  - hostname: worker-${number}.home.arpa\n    ipAddress: "192.168.42.2${number}"\n    controlPlane: no\n    installDisk: /dev/sda\n`).join('')}`,
  },
  {
    name: 'everything in the groups',
    talconfig: `${nodes()}controlPlane:
  nodeAnnotations: { a: group }
  nodeTaints: { dedicated: NoSchedule }
  machineFiles:
    - { content: "@group.conf", permissions: 0o600, path: /var/group, op: create }
  kernelModules: [{ name: br_netfilter }]
  networkInterfaces:
    - interface: eth0
      dhcp: true
  schematic:
    owner: me
    customization:
      embeddedMachineConfiguration: "a: 1"
      secureboot: { enrollKeys: force }
      diskImage: { sectorSize: 4096 }
  machineSpec: { mode: metal, arch: arm64, bootMethod: disk-image, imageSuffix: raw.zst }
  noSchematicValidate: true
  ingressFirewall: { defaultAction: block }
  extensionServices: [{ name: a, environment: [A=b] }]
  volumes: [{ name: STATE, encryption: { provider: luks2, keys: [{ slot: 0, tpm: { checkSecurebootStatusOnEnroll: true, options: { pcrs: [7] } } }] } }]
  userVolumes:
    - name: data
      provisioning: { diskSelector: { match: "!system_disk" }, maxSize: 1TB }
      filesystem: { type: xfs, projectQuotaSupport: true }
      encryption: { provider: luks2, keys: [{ slot: 0, lockToState: true, nodeID: {} }, { slot: 1, kms: { endpoint: https://kms.example.org } }] }
  filenameTmpl: "{{.Hostname}}.yaml"
  imageSchematic: { customization: { extraKernelArgs: [boot] } }
worker:
  talosImageURL: registry.example.org/installer
  machineDisks: [{ device: /dev/sdb, partitions: [{ mountpoint: /var/a }] }]
  extraManifests: [extra.yaml]
imageFactory:
  ISOURLTmpl: "{{.Protocol}}://x"
`,
    files: { 'group.conf': 'a: b\n', 'extra.yaml': 'apiVersion: v1alpha1\nkind: WatchdogTimerConfig\ndevice: /dev/watchdog0\n' },
    contracts: ['1.13'],
  },
  {
    name: 'extra manifests that override those of the group',
    talconfig: `${nodes('overrideExtraManifests: true\nextraManifests: [own.yaml]\n', 'extraManifests: [own.yaml]\n')}controlPlane:
  extraManifests: [group.yaml]
worker:
  extraManifests: [group.yaml]
`,
    files: {
      'own.yaml': 'apiVersion: v1alpha1\nkind: WatchdogTimerConfig\ndevice: /dev/watchdog0\n',
      'group.yaml': 'apiVersion: v1alpha1\nkind: KmsgLogConfig\nname: remote\nurl: tcp://10.0.0.1:1514/\n',
    },
  },
  both(
    'a bond by ARP',
    'networkInterfaces:\n  - interface: bond0\n    addresses: [10.0.0.5/24]\n    bond:\n      interfaces: [eth0, eth1]\n      mode: active-backup\n      arpInterval: 100\n      arpValidate: active\n      arpAllTargets: all\n',
  ),
  both('the address of an interface by its old key', 'networkInterfaces:\n  - interface: eth0\n    cidr: 10.0.0.5/24\n'),
  both(
    'interfaces without settings',
    'networkInterfaces:\n  - interface: eth0\n    ignore: true\n  - interface: eth1\n    dummy: true\n    addresses: [10.0.0.1/32]\n',
  ),
  {
    name: 'addresses of clouds',
    talconfig: nodes(
      'networkInterfaces:\n  - interface: eth0\n    dhcp: true\n    vip:\n      ip: 10.0.0.5\n      hcloud:\n        apiToken: a\n  - interface: eth1\n    dhcp: true\n    vip:\n      ip: 10.0.0.6\n      equinixMetal:\n        apiToken: b\n',
    ),
  },
  both(
    'volumes with trim',
    'userVolumes:\n  - name: data\n    provisioning:\n      diskSelector:\n        match: "!system_disk"\n      minSize: 1GB\n    encryption:\n      provider: luks2\n      allowDiscards: true\n      keys:\n        - slot: 0\n          nodeID: {}\n',
    { contracts: ['1.13'] },
  ),
  cluster('cni flannel with policies', 'cniConfig:\n  name: flannel\n  flannel:\n    kubeNetworkPoliciesEnabled: true\n', {
    contracts: ['1.13'],
  }),
  // Found by comparing what talhelper and tk make of repositories in the field.
  cluster(
    'a text block at the end of an inline patch',
    'patches:\n  - |-\n    machine:\n      files:\n        - op: create\n          path: /etc/cri/conf.d/20-customization.part\n          content: |\n            [a]\n              b = 1\n  - |-\n    machine:\n      nodeAnnotations:\n        a: >\n          one\n          two\n',
  ),
  cluster('a patch by its path', 'patches: [patches/raw.yaml]\n', {
    files: { 'patches/raw.yaml': 'machine:\n  sysctls:\n    a.b: $HOME\n  network:\n    $patch: delete\n' },
  }),
  cluster('search domains without entries', 'patches: ["@r.yaml"]\n', {
    files: { 'r.yaml': 'apiVersion: v1alpha1\nkind: ResolverConfig\nnameservers:\n  - address: 10.0.0.1\nsearchDomains:\n  domains: []\n' },
    contracts: ['1.12', '1.13'],
  }),
  both(
    'a partition without a size',
    'machineDisks:\n  - device: /dev/sdb\n    partitions:\n      - mountpoint: /var/mnt/a\n        size: 0\n',
  ),
  both('keys in the order of numbers', 'nodeLabels:\n  cpu10: a\n  cpu9: b\n  cpu-2: c\n  Cpu1: d\n'),
  cluster('keys that nobody knows', 'x-shared: &shared\n  a: b\nstableHostname: true\ntalosImageURL: x\n'),
  {
    name: 'words for true and false, numbers in many spellings',
    talconfig:
      'allowSchedulingOnControlPlanes: on\nnodes:\n  - hostname: cp-1\n    ipAddress: 192.168.42.10\n    controlPlane: yes\n    installDisk: /dev/sda\n    nodeLabels: {a: "0123", b: "yes", c: "1_000"}\n    networkInterfaces:\n      - {interface: eth0, mtu: 0x5dc, dhcp: y, dhcpOptions: {routeMetric: 0b1010, ipv4: off}}\n  - {hostname: 12345, ipAddress: 192.168.42.20, controlPlane: off, installDisk: /dev/sda}\n',
  },
  both(
    'a bond with a primary',
    'networkInterfaces:\n  - interface: bond0\n    dhcp: true\n    bond:\n      interfaces: [eth0, eth1]\n      mode: active-backup\n      primary: eth0\n      primaryReselect: always\n',
  ),
  both(
    'a port of a bridge',
    'networkInterfaces:\n  - interface: br0\n    dhcp: true\n    bridge:\n      interfaces: [eth0]\n  - interface: eth0\n    bridgePort:\n      master: br0\n',
  ),
  both(
    'dhcp by a DUID',
    'networkInterfaces:\n  - interface: eth0\n    dhcp: true\n    dhcpOptions:\n      ipv4: false\n      ipv6: true\n      duidv6: 00010001\n',
  ),
  both(
    'the address of a vlan by its old key',
    'networkInterfaces:\n  - interface: eth0\n    vlans:\n      - vlanId: 5\n        cidr: 10.0.5.1/24\n',
  ),
  both(
    'a file system of its own',
    'userVolumes:\n  - name: data\n    provisioning:\n      diskSelector:\n        match: "!system_disk"\n      minSize: 1GB\n    filesystem:\n      type: xfs\n      xfs:\n        minAllocationGroupSize: 1GiB\n',
    { contracts: ['1.13'] },
  ),
  ...homes,
  // What talhelper refuses.
  both(
    'refused: an AD actor',
    'networkInterfaces:\n  - interface: bond0\n    bond:\n      interfaces: [eth0]\n      mode: 802.3ad\n      adActorSystem: 00:00:00:00:00:01\n',
    { refuses: ['v1alpha1.Bond.adActorSystem'] },
  ),
  both(
    'refused: ARP targets',
    'networkInterfaces:\n  - interface: bond0\n    bond:\n      interfaces: [eth0]\n      mode: active-backup\n      arpIPTarget: [10.0.0.1]\n',
    { refuses: ['v1alpha1.Bond.arpIPTarget'] },
  ),
  {
    name: 'refused: a disk by its name',
    refuses: ['v1alpha1.InstallDiskSelector.name'],
    talconfig: 'nodes:\n  - hostname: cp-1\n    ipAddress: 192.168.42.10\n    controlPlane: true\n    installDiskSelector: {name: sda}\n',
  },
  { name: 'refused: no nodes', talconfig: 'nodes: []\n' },
  {
    name: 'refused: a bad host name',
    talconfig: 'nodes:\n  - hostname: cp_1\n    ipAddress: 192.168.42.10\n    controlPlane: true\n    installDisk: /dev/sda\n',
  },
  { name: 'refused: no disk', talconfig: 'nodes:\n  - hostname: cp-1\n    ipAddress: 192.168.42.10\n    controlPlane: true\n' },
  both('refused: a bad name server', 'nameservers: [nowhere]\n'),
  both('refused: an unknown file', 'patches:\n  - "@./missing.yaml"\n'),
  both('refused: an unset variable', 'nodeLabels:\n  a: ${MISSING}\n'),
  both('refused: an unknown key in a patch', 'patches:\n  - |-\n    machine:\n      netwrok: {}\n'),
  cluster('refused: a bad network', 'clusterPodNets: [10.42.0.0]\n'),
  cluster('refused: an unknown cni', 'cniConfig:\n  name: calico\n'),
  both('refused: a taint without effect', 'nodeTaints:\n  a: b\n'),
  both('refused: an image with a tag', 'talosImageURL: registry.example.org/installer:v1\n'),
  both(
    'refused: an extension twice',
    'schematic:\n  customization:\n    systemExtensions:\n      officialExtensions: [siderolabs/i915, siderolabs/i915]\n',
  ),
  both(
    'refused: a rule without ports',
    'ingressFirewall:\n  defaultAction: block\n  rules:\n    - name: icmp\n      portSelector:\n        protocol: icmp\n      ingress:\n        - subnet: 0.0.0.0/0\n',
  ),
  both('refused: a boot method', 'machineSpec:\n  bootMethod: usb\n'),
];
