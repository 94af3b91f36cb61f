/** Configurations that patches are applied to. Every value is made up. */
export const bases: Readonly<Record<string, string>> = {
  legacy: `version: v1alpha1
debug: false
persist: true
machine:
  type: worker
  token: abcdef.0123456789abcdef
  ca:
    crt: Y2VydA==
    key: ""
  certSANs: [192.168.1.10]
  kubelet:
    image: ghcr.io/siderolabs/kubelet:v1.35.0
    extraArgs:
      rotate-server-certificates: "true"
    extraMounts:
      - destination: /var/a
        type: bind
        source: /var/a
        options: [bind, rw]
    nodeIP:
      validSubnets: [192.168.1.0/24]
  network:
    hostname: old
    nameservers: [1.1.1.1]
    interfaces:
      - interface: eth0
        addresses: [192.168.1.10/24]
        mtu: 1500
        dhcp: true
        vlans:
          - vlanId: 100
            addresses: [10.0.0.1/24]
          - vlanId: 200
            dhcp: true
      - deviceSelector:
          hardwareAddr: aa:bb:cc:dd:ee:ff
        addresses: [10.1.0.1/24]
  install:
    disk: /dev/sda
    image: ghcr.io/siderolabs/installer:v1.13.0
    wipe: true
  files:
    - content: hello
      permissions: 0o644
      path: /var/a.txt
      op: create
  sysctls:
    net.core.somaxconn: "65535"
  time:
    disabled: false
    servers: [time.cloudflare.com]
  nodeLabels:
    zone: a
cluster:
  controlPlane:
    endpoint: https://192.168.1.10:6443
  network:
    dnsDomain: cluster.local
    podSubnets: [10.244.0.0/16]
    serviceSubnets: [10.96.0.0/12]
  apiServer:
    image: registry.k8s.io/kube-apiserver:v1.35.0
    certSANs: [192.168.1.10]
    admissionControl:
      - name: PodSecurity
        configuration:
          defaults:
            enforce: baseline
            audit: restricted
          exemptions:
            namespaces: [kube-system]
    auditPolicy:
      apiVersion: audit.k8s.io/v1
      kind: Policy
      rules:
        - level: Metadata
  discovery:
    enabled: true
  inlineManifests:
    - name: one
      contents: |
        a: 1
  allowSchedulingOnControlPlanes: true
`,
  documents: `version: v1alpha1
machine:
  type: worker
  token: abcdef.0123456789abcdef
  ca:
    crt: Y2VydA==
    key: ""
cluster:
  controlPlane:
    endpoint: https://192.168.1.10:6443
---
apiVersion: v1alpha1
kind: HostnameConfig
auto: stable
---
apiVersion: v1alpha1
kind: LinkConfig
name: eth0
mtu: 1500
addresses:
  - address: 192.168.1.10/24
routes:
  - destination: 10.0.0.0/8
    gateway: 192.168.1.1
    metric: 100
---
apiVersion: v1alpha1
kind: UserVolumeConfig
name: data
provisioning:
  diskSelector:
    match: disk.transport == "nvme"
  minSize: 10GiB
  maxSize: 100GiB
filesystem:
  type: xfs
---
apiVersion: v1alpha1
kind: VolumeConfig
name: EPHEMERAL
provisioning:
  diskSelector:
    match: system_disk
  minSize: 5GB
---
apiVersion: v1alpha1
kind: NetworkDefaultActionConfig
ingress: block
---
apiVersion: v1alpha1
kind: NetworkRuleConfig
name: api
portSelector:
  ports: [50000, 8000-8100]
  protocol: tcp
ingress:
  - subnet: 192.168.0.0/16
    except: 192.168.5.0/24
---
apiVersion: v1alpha1
kind: ExtensionServiceConfig
name: tailscale
configFiles:
  - content: old
    mountPath: /etc/a
environment: [A=1]
---
apiVersion: v1alpha1
kind: ResolverConfig
nameservers:
  - address: 1.1.1.1
searchDomains:
  domains: [example.org]
---
apiVersion: v1alpha1
kind: EthernetConfig
name: eth0
features:
  tx-tcp-segmentation: true
rings:
  rx: 512
---
apiVersion: v1alpha1
kind: WatchdogTimerConfig
device: /dev/watchdog0
timeout: 5m
`,
  single: `machine:
  type: worker
  token: abcdef.0123456789abcdef
  certSANs: [a, b]
  sysctls: {x: "1"}
cluster:
  controlPlane:
    endpoint: https://192.168.1.10:6443
`,
};
