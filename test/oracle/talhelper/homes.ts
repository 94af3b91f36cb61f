import type { TalhelperCase } from './cases.ts';

/** What people put into their repositories, each written by us in the way in which it is written there. */
interface Fragment {
  readonly cluster?: string;
  readonly controlPlane?: string;
  readonly worker?: string;
  /** At each node. */
  readonly node?: (index: number) => string;
  readonly files?: Readonly<Record<string, string>>;
}

const fragments: Readonly<Record<string, Fragment>> = {
  cilium: {
    cluster: 'cniConfig:\n  name: none\nclusterPodNets: ["10.69.0.0/16"]\nclusterSvcNets: ["10.96.0.0/16"]\n',
    controlPlane: 'patches:\n  - |-\n    cluster:\n      proxy:\n        disabled: true\n      coreDNS:\n        disabled: true\n',
  },
  sans: {
    cluster:
      'additionalApiServerCertSans: &sans\n  - "127.0.0.1"\n  - "10.10.0.5" # VIP\n  - k8s.home.example\nadditionalMachineCertSans: *sans\n',
  },
  macs: {
    node: (index) =>
      `networkInterfaces:\n  - deviceSelector:\n      hardwareAddr: "BC:24:11:00:00:0${index}"\n    dhcp: false\n    addresses: ["10.10.0.1${index}/24"]\n    routes:\n      - { network: 0.0.0.0/0, gateway: 10.10.0.1 }\n    mtu: 1500\n`,
  },
  vlanBond: {
    node: (index) =>
      `networkInterfaces:\n  - interface: bond0\n    bond:\n      mode: 802.3ad\n      lacpRate: fast\n      miimon: 100\n      xmitHashPolicy: layer3+4\n      deviceSelectors:\n        - hardwareAddr: aa:bb:cc:*\n          driver: ixgbe\n    dhcp: false\n    mtu: 9000\n    vlans:\n      - vlanId: 20\n        mtu: 1500\n        dhcp: false\n        addresses: [10.20.0.1${index}/24]\n        routes:\n          - network: 10.30.0.0/16\n            gateway: 10.20.0.254\n            metric: 2048\n      - vlanId: 40\n        dhcp: true\n        dhcpOptions: { routeMetric: 4096 }\n`,
  },
  kubelet: {
    cluster: 'patches:\n  - "@./patches/global/kubelet.yaml"\n  - "@./patches/global/sysctls.yaml"\n',
    files: {
      'patches/global/kubelet.yaml':
        '---\n# All nodes\nmachine:\n  kubelet:\n    extraConfig:\n      serializeImagePulls: false # faster\n      maxParallelImagePulls: 10\n    nodeIP:\n      validSubnets:\n        - 10.10.0.0/24\n    extraMounts:\n      - destination: /var/lib/longhorn\n        type: bind\n        source: /var/lib/longhorn\n        options: [bind, rshared, rw]\n',
      'patches/global/sysctls.yaml':
        'machine:\n  sysctls:\n    fs.inotify.max_user_watches: 1048576 # Watchdog\n    net.core.rmem_max: "7500000"\n    net.ipv4.ping_group_range: 0 2147483647\n    user.max_user_namespaces: 11255\n    vm.nr_hugepages: 0x400\n',
    },
  },
  containerd: {
    cluster:
      'patches:\n  - |-\n    machine:\n      files:\n        - op: create\n          path: /etc/cri/conf.d/20-customization.part\n          permissions: 0o644\n          content: |\n            [plugins."io.containerd.cri.v1.images"]\n              discard_unpacked_layers = false\n            [plugins."io.containerd.cri.v1.runtime"]\n              device_ownership_from_security_context = true\n',
  },
  nfsMount: {
    cluster: 'patches: ["@patches/nfs.yaml"]\n',
    files: {
      'patches/nfs.yaml':
        'machine:\n  files:\n    - op: overwrite\n      path: /etc/nfsmount.conf\n      permissions: 420\n      content: |\n        [ NFSMount_Global_Options ]\n        nfsvers=4.2\n        hard=True',
    },
  },
  talosApi: {
    controlPlane:
      'patches:\n  - |\n    machine:\n      features:\n        kubernetesTalosAPIAccess:\n          enabled: true\n          allowedRoles: [os:admin, os:etcd:backup]\n          allowedKubernetesNamespaces: [system-upgrade, actions-runner-system]\n  - "@./patches/controller/metrics.yaml"\n',
    files: {
      'patches/controller/metrics.yaml':
        'cluster:\n  controllerManager: {extraArgs: {bind-address: 0.0.0.0}}\n  scheduler:\n    extraArgs:\n      bind-address: 0.0.0.0\n  etcd:\n    extraArgs:\n      listen-metrics-urls: http://0.0.0.0:2381\n    advertisedSubnets: [10.10.0.0/24]\n',
    },
  },
  admission: {
    controlPlane: 'patches:\n  - "@./patches/controller/admission.yaml"\n',
    files: {
      'patches/controller/admission.yaml':
        'cluster:\n  apiServer:\n    admissionControl:\n      $$patch: delete\n    auditPolicy:\n      $$patch: delete\n',
    },
  },
  scheduling: { cluster: 'allowSchedulingOnControlPlanes: yes\n' },
  labels: {
    node: (index) =>
      `nodeLabels:\n  topology.kubernetes.io/zone: rack-${index}\n  gpu: "true"\n  feature: "${index}"\nnodeAnnotations:\n  installer: talos\n`,
    worker: 'nodeTaints:\n  dedicated: gpu:NoSchedule\n',
  },
  schematic: {
    controlPlane:
      'schematic: &schematic\n  customization:\n    extraKernelArgs: [-init_on_alloc, apparmor=0, mitigations=off, "net.ifnames=0"]\n    systemExtensions:\n      officialExtensions: [siderolabs/i915, siderolabs/intel-ucode]\n',
    worker: 'schematic: *schematic\n',
  },
  nvidia: {
    worker:
      'kernelModules:\n  - name: nvidia\n  - name: br_netfilter\n    parameters: [nf_conntrack_max=131072]\npatches:\n  - |-\n    machine:\n      sysctls: {net.core.bpf_jit_harden: 1}\n',
  },
  tailscale: {
    controlPlane:
      'extensionServices:\n  - name: tailscale\n    environment:\n      - TS_AUTHKEY=${TS_AUTHKEY}\n      - TS_ROUTES=10.10.0.0/24,10.69.0.0/16\n    configFiles:\n      - content: "@./ts.conf"\n        mountPath: /etc/ts.conf\n',
    files: { 'talenv.yaml': '---\n# secret\nTS_AUTHKEY: "tskey-x#y" # not this\nDOMAIN: home.example\n', 'ts.conf': 'a: 1\n' },
  },
  volumes: {
    worker:
      'volumes:\n  - name: EPHEMERAL\n    provisioning:\n      diskSelector:\n        match: system_disk\n      maxSize: 100GiB\n      grow: false\nuserVolumes:\n  - name: longhorn\n    provisioning:\n      diskSelector:\n        match: disk.transport == "nvme" && !system_disk\n      minSize: 50GB\n    filesystem:\n      type: xfs\n',
  },
  firewall: {
    controlPlane:
      'ingressFirewall:\n  defaultAction: block\n  rules:\n    - name: apid\n      portSelector: {ports: [50000, 50001], protocol: tcp}\n      ingress: [{subnet: 10.10.0.0/24}]\n    - name: kubelet\n      portSelector:\n        ports: [10250-10256]\n        protocol: tcp\n      ingress:\n        - subnet: 10.0.0.0/8\n          except: 10.66.0.0/16\n',
  },
  dns: { controlPlane: 'nameservers: &dns [10.10.0.1, 1.1.1.1]\ndisableSearchDomain: true\n', worker: 'nameservers: *dns\n' },
  documents: {
    cluster: 'patches:\n  - "@./patches/documents.yaml"\n',
    files: {
      'patches/documents.yaml':
        '---\napiVersion: v1alpha1\nkind: WatchdogTimerConfig\ndevice: /dev/watchdog0\ntimeout: 3m\n---\n# logs\napiVersion: v1alpha1\nkind: KmsgLogConfig\nname: remote\nurl: udp://10.10.0.9:6050\n---\nmachine:\n  logging:\n    destinations:\n      - endpoint: udp://10.10.0.9:6051\n        format: json_lines\n        extraTags: {node: a}\n',
    },
  },
  manifests: {
    cluster:
      'inlineManifests:\n  - name: ns\n    contents: |-\n      apiVersion: v1\n      kind: Namespace\n      metadata:\n        name: ${DOMAIN:-none}\n  - name: raw\n    skipEnvsubst: true\n    contents: "@./raw.yaml"\n',
    files: { 'raw.yaml': '# kept\nkind: ConfigMap\ndata:\n    proxy: $host$request_uri\n' },
  },
  time: {
    cluster:
      'patches:\n  - |-\n    machine:\n      time:\n        disabled: no\n        servers:\n          - time.cloudflare.com\n        bootTimeout: 2m0s\n      env:\n        http_proxy: "http://proxy:3128"\n      registries:\n        mirrors:\n          docker.io:\n            endpoints: [https://mirror.home.example]\n            overridePath: true\n',
  },
  kubespan: {
    cluster:
      'patches:\n  - |-\n    machine:\n      network:\n        extraHostEntries:\n          - ip: 10.10.0.9\n            aliases: [nas, nas.home.example]\n',
  },
  names: { cluster: 'domain: cluster.home\n', controlPlane: 'filenameTmpl: "{{ .Hostname }}.yaml"\n' },
  longText: {
    cluster:
      'patches:\n  - >-\n    {"machine": {"sysctls":\n    {"net.core.somaxconn": "65535"}}}\n  - "machine: {sysfs: {devices.system.cpu.cpu10.x: a, devices.system.cpu.cpu9.x: b}}"\n',
  },
};

const names = Object.keys(fragments);

/** Three control planes and two workers, or one machine that is everything. */
function home(number: number): TalhelperCase {
  // Steps that share no factor with the count visit every fragment, in company that changes.
  const count = names.length;
  const chosen = [...new Set([0, 1, 2, 3, 4].map((turn) => (number * 5 + turn * (turn + 3 + (number % 4))) % count))].flatMap((at) => {
    const fragment = fragments[names[at] ?? ''];
    return fragment ? [fragment] : [];
  });
  // A key may stand once: of two fragments that write the same one, the first does.
  const joined = (texts: readonly (string | undefined)[], indent: number): string => {
    const written = new Set<string>();
    return texts
      .flatMap((text) => (text === undefined ? [] : text.split(/^(?=\S)/m)))
      .filter((block) => {
        const key = block.split(':')[0] ?? '';
        return !written.has(key) && written.add(key);
      })
      .join('')
      .replace(/^(?=.)/gm, ' '.repeat(indent));
  };
  const roles = number % 3 === 0 ? [true] : [true, true, true, false, false];
  const nodes = roles.map((isControlPlane, index) => {
    const own = joined(
      chosen.map(({ node }) => node?.(index)),
      4,
    );
    const disk = number % 2 === 0 ? 'installDisk: /dev/nvme0n1' : `installDiskSelector: {serial: S${index}, type: nvme}`;
    return `  - hostname: ${isControlPlane ? 'k8s' : 'work'}-${index}\n    ipAddress: ${number % 4 === 1 ? `"10.10.0.1${index}, fd00::${index}"` : `10.10.0.1${index}`}\n    controlPlane: ${isControlPlane}\n    ${disk}\n${own}`;
  });
  const section = (name: string, texts: readonly (string | undefined)[]) => {
    const body = joined(texts, 2);
    return body === '' ? '' : `${name}:\n${body}`;
  };
  const talconfig = [
    joined(
      chosen.map(({ cluster }) => cluster),
      0,
    ),
    `nodes:\n${nodes.join('')}`,
    section(
      'controlPlane',
      chosen.map(({ controlPlane }) => controlPlane),
    ),
    section(
      'worker',
      chosen.map(({ worker }) => worker),
    ),
  ].join('');
  // An alias whose anchor another fragment's key has taken the place of would point nowhere.
  const anchored = talconfig.replaceAll(/\*(\w+)/g, (alias, name: string) => (talconfig.includes(`&${name}`) ? alias : '{}'));
  const text = number % 5 === 4 ? anchored.replaceAll('\n', '\r\n') : anchored;
  return {
    name: `home ${number}`,
    talconfig: text,
    files: Object.assign({}, ...chosen.map(({ files }) => files ?? {})) as Record<string, string>,
  };
}

export const homes: readonly TalhelperCase[] = Array.from({ length: 32 }, (_, index) => home(index + 1));
