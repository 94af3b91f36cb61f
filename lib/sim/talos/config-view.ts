import { parseYamlBulk } from '../../format/index.ts';

/** What the simulated machine reads out of a machine configuration, whichever generation wrote it. */
export interface ConfigView {
  readonly role: 'controlplane' | 'worker';
  /** Absent: the machine keeps the name that it was booted with. */
  readonly hostname?: string;
  readonly token: string;
  /** PEM. The keys only on control planes. */
  readonly osCa: Authority;
  readonly kubernetesCa?: Authority;
  readonly etcdCa?: Authority;
  readonly certSans: readonly string[];
  readonly apiServerSans: readonly string[];
  readonly clusterName: string;
  readonly clusterId: string;
  /** `https://192.168.42.120:6443` */
  readonly endpoint: string;
  readonly vips: readonly string[];
  /** With its `v`; empty when the configuration names no Kubernetes image. */
  readonly kubernetesVersion: string;
  readonly kubeletImage: string;
  readonly kubeletArgs: readonly string[];
  /** What the configuration says about the parts of Kubernetes that Talos runs; an empty image is the release's own. */
  readonly components: Readonly<Record<StaticPodName, { readonly image: string; readonly args: readonly string[] }>>;
  readonly proxyImage: string;
  /** Absent: the machine is run from memory, as it was booted. */
  readonly install?: { readonly disk?: string; readonly selector?: unknown; readonly image: string; readonly unattended: boolean };
  readonly coreDns: boolean;
  readonly kubeProxy: boolean;
  readonly cni: 'flannel' | 'none' | 'custom';
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  /** System volumes that are to have a partition of their own (from 1.14). */
  readonly volumes: readonly string[];
  /** Kinds of the documents, in order; empty for the one without. */
  readonly kinds: readonly string[];
}

export const staticPodNames = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;
export type StaticPodName = (typeof staticPodNames)[number];

export interface Authority {
  readonly certificate: string;
  readonly key?: string;
}

interface Tree {
  readonly [key: string]: unknown;
}

const known = new Map<string, ConfigView | undefined>();

/** Undefined for text that is no whole machine configuration: not YAML, or no document without a kind. */
export function viewConfig(text: string): ConfigView | undefined {
  if (known.has(text)) return known.get(text);
  if (known.size > 200) known.clear();
  const view = readView(text);
  known.set(text, view);
  return view;
}

function readView(text: string): ConfigView | undefined {
  const documents = parseYamlBulk(text).filter(isTree);
  const main = documents.find((document) => document.kind === undefined && document.machine !== undefined);
  if (!main) return undefined;
  const machine = tree(main.machine);
  const cluster = tree(main.cluster);
  const one = (kind: string) => tree(documents.find((document) => document.kind === kind));
  const all = (kind: string) => documents.filter((document) => document.kind === kind);
  const has = (kind: string) => documents.some((document) => document.kind === kind);

  const role = machine.type === 'worker' ? 'worker' : 'controlplane';
  const hostname = string(one('HostnameConfig').hostname) || string(tree(machine.network).hostname);
  const kubelet = string(one('KubeletConfig').image) || string(tree(machine.kubelet).image);
  const oldInstall = machine.install === undefined ? undefined : tree(machine.install);
  const newInstall = has('UnattendedInstallConfig') ? one('UnattendedInstallConfig') : undefined;
  const multiDocument = has('KubeClusterConfig') || has('KubeletConfig');
  const cniName = string(tree(tree(cluster.network).cni).name) || 'flannel';
  const vips = [
    ...list(tree(machine.network).interfaces).flatMap((link) => string(tree(tree(link).vip).ip) || []),
    ...all('Layer2VIPConfig').map((document) => string(document.name)),
  ];
  const component = (kind: string, old: string) => {
    const written = has(kind) ? one(kind) : tree(cluster[old]);
    return { image: string(written.image), args: flagsOf(written.extraArgs) };
  };
  return {
    role,
    ...(hostname === '' ? {} : { hostname }),
    token: string(machine.token),
    osCa: authority(machine.ca),
    ...optional('kubernetesCa', has('KubeAPIServerCAConfig') ? authority(one('KubeAPIServerCAConfig').issuingCA) : authority(cluster.ca)),
    ...optional('etcdCa', authority(tree(cluster.etcd).ca)),
    certSans: list(machine.certSANs).map(string),
    apiServerSans: [...list(tree(cluster.apiServer).certSANs), ...list(one('KubeAPIServerConfig').certExtraSANs)].map(string),
    clusterName: string(one('KubeClusterConfig').clusterName) || string(cluster.clusterName),
    clusterId: string(one('DiscoveryIdentityConfig').clusterID) || string(cluster.id),
    endpoint: string(one('KubeClusterConfig').endpoint) || string(tree(cluster.controlPlane).endpoint),
    vips,
    kubernetesVersion: versionOfImage(kubelet),
    kubeletImage: kubelet,
    kubeletArgs: flagsOf(has('KubeletConfig') ? one('KubeletConfig').extraArgs : tree(machine.kubelet).extraArgs),
    components: {
      'kube-apiserver': component('KubeAPIServerConfig', 'apiServer'),
      'kube-controller-manager': component('KubeControllerManagerConfig', 'controllerManager'),
      'kube-scheduler': component('KubeSchedulerConfig', 'scheduler'),
    },
    proxyImage: string(has('KubeProxyConfig') ? one('KubeProxyConfig').image : tree(cluster.proxy).image),
    ...(oldInstall || newInstall
      ? {
          install: newInstall
            ? {
                unattended: true,
                image: string(tree(newInstall.installer).image),
                selector: tree(tree(newInstall.provisioning).diskSelector).match,
              }
            : {
                unattended: false,
                image: string(oldInstall?.image),
                ...(string(oldInstall?.disk) === '' ? {} : { disk: string(oldInstall?.disk) }),
                ...(oldInstall?.diskSelector === undefined ? {} : { selector: oldInstall.diskSelector }),
              },
        }
      : {}),
    coreDns: multiDocument ? one('KubeCoreDNSConfig').enabled === true : tree(cluster.coreDNS).disabled !== true,
    kubeProxy: multiDocument ? has('KubeProxyConfig') && one('KubeProxyConfig').enabled !== false : tree(cluster.proxy).disabled !== true,
    cni: multiDocument
      ? has('KubeFlannelCNIConfig')
        ? 'flannel'
        : 'none'
      : cniName === 'none' || cniName === 'custom'
        ? cniName
        : 'flannel',
    labels: strings({ ...tree(machine.nodeLabels), ...tree(one('KubeNodeConfig').labels) }),
    taints: taintsOf(role, multiDocument, machine, cluster, one('KubeNodeConfig')),
    volumes: all('VolumeConfig')
      .filter(({ provisioning }) => Object.keys(tree(provisioning)).length > 0)
      .map((document) => string(document.name)),
    kinds: documents.map((document) => string(document.kind)),
  };
}

function taintsOf(role: string, multiDocument: boolean, machine: Tree, cluster: Tree, node: Tree): ConfigView['taints'] {
  const written = Object.entries(strings({ ...tree(machine.nodeTaints), ...tree(node.taints) })).map(([key, text]) => {
    const [value = '', effect] = text.includes(':') ? text.split(':') : ['', text];
    return { key, ...(value === '' ? {} : { value }), effect: effect ?? 'NoSchedule' };
  });
  const implied = role === 'controlplane' && !multiDocument && cluster.allowSchedulingOnControlPlanes !== true;
  return implied ? [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }, ...written] : written;
}

/** v1alpha1 holds base64 of PEM, the newer documents hold PEM. */
function authority(value: unknown): Authority {
  const { crt, cert, key } = tree(value);
  const plain = (part: unknown) => {
    const text = string(part);
    return text === '' || text.includes('-----BEGIN') ? text : Buffer.from(text, 'base64').toString('utf8');
  };
  const keyText = plain(key);
  return { certificate: plain(crt ?? cert), ...(keyText === '' ? {} : { key: keyText }) };
}

function optional<K extends string>(name: K, value: Authority): { [P in K]?: Authority } {
  return (value.certificate === '' ? {} : { [name]: value }) as { [P in K]?: Authority };
}

/** `--name=value`, sorted by name; a list gives one flag for each member. */
function flagsOf(value: unknown): readonly string[] {
  return Object.entries(tree(value))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, item]) => (Array.isArray(item) ? item : [item]).map((one) => `--${name}=${string(one)}`));
}

function versionOfImage(image: string): string {
  return /:(v\d+\.\d+\.\d+[^@-]*(?:-(?:alpha|beta|rc)\.\d+)?)/.exec(image)?.[1] ?? '';
}

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);
const tree = (value: unknown): Tree => (isTree(value) ? value : {});
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const string = (value: unknown): string => (typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '');
const strings = (value: Tree): Record<string, string> =>
  Object.fromEntries(Object.entries(value).map(([key, item]) => [key, string(item)]));
