import { minorOf, networkOf, nthHost, parseVersion } from '../format/index.ts';
import { isSwitchedOn, talosDefaults } from '../upstream/tables.ts';
import { knownHostsOf } from './known-hosts.ts';
import { type ClusterInput, clusterKeys, type NodeInput } from './schema.ts';
import { talosMinorOf } from './versions.ts';

/** What templates see besides the keys of the inputs: defaults filled in, and what follows from them. */
export interface TemplateData {
  readonly [name: string]: unknown;
  readonly nodes: readonly TemplateNode[];
}

export interface TemplateNode extends NodeInput {
  readonly secureboot: boolean;
  readonly encrypt_disk: boolean;
  readonly kernel_modules: string[];
  readonly extensions: string[];
  readonly kernel_args: string[];
  readonly labels: Record<string, string>;
  readonly taints: Record<string, string>;
  readonly mtu: number;
  readonly container_runtime: 'runc' | 'nvidia';
}

export interface Defaults {
  readonly talosVersion: string;
  readonly kubernetesVersion: string;
}

/**
 * The variables of a render. Pure: the same inputs give the same data.
 *
 * Shape: the key names of the old templates, so that they render unchanged. A key without value or default is absent: a strict
 * template that needs it names it. `has_kubernetes_documents` is true from Talos 1.14 on, which took the Kubernetes part out of the one
 * old document. Whoever renders adds `patch_files`: the names of the rendered patches by directory.
 */
export function templateData(cluster: ClusterInput, nodes: readonly NodeInput[], defaults: Defaults): TemplateData {
  const nodeNetwork = networkOf(cluster.node_cidr);
  const talosVersion = parseVersion(cluster.talos_version ?? defaults.talosVersion).text;
  const minor = talosMinorOf(talosVersion);
  const { cluster_pod_cidr, cluster_svc_cidr, extra, version: _, ...given } = cluster;
  const serviceCidrs = listOf(cluster_svc_cidr ?? '10.43.0.0/16');
  const controllers = nodes.filter((node) => node.controller);
  const repositoryUrl = cluster.repository_url ?? githubUrl(cluster);
  const knownHosts = cluster.repository_known_hosts ?? (repositoryUrl === undefined ? undefined : knownHostsOf(repositoryUrl));
  const isBgp = cluster.cilium_bgp_router_addr !== undefined;
  const gateway = cluster.node_default_gateway ?? (nodeNetwork ? nthHost(nodeNetwork, 1)?.text : undefined);
  return {
    ...extra,
    ...given,
    cluster_name: cluster.cluster_name ?? 'kubernetes',
    cluster_domain: cluster.cluster_domain ?? talosDefaults.dnsDomain,
    talos_version: talosVersion,
    talos_minor: minorOf(talosVersion),
    has_kubernetes_documents: minor !== undefined && isSwitchedOn('kubernetesDocuments', minor),
    kubernetes_version: parseVersion(cluster.kubernetes_version ?? defaults.kubernetesVersion).text,
    node_dns_servers: cluster.node_dns_servers ?? ['1.1.1.1', '1.0.0.1'],
    node_ntp_servers: cluster.node_ntp_servers ?? ['162.159.200.1', '162.159.200.123'],
    ...(gateway === undefined ? {} : { node_default_gateway: gateway }),
    node_vlan_tag: cluster.node_vlan_tag ?? '',
    node_prefix_length: nodeNetwork?.prefixLength,
    default_route: nodeNetwork?.family === 6 ? '::/0' : '0.0.0.0/0',
    cluster_api_tls_sans: cluster.cluster_api_tls_sans ?? [],
    cluster_pod_cidr: listOf(cluster_pod_cidr ?? '10.42.0.0/16').join(','),
    cluster_pod_cidrs: listOf(cluster_pod_cidr ?? '10.42.0.0/16'),
    cluster_svc_cidr: serviceCidrs.join(','),
    cluster_svc_cidrs: serviceCidrs,
    cluster_dns_addr: dnsAddress(serviceCidrs),
    cluster_has_vip: hasVip(cluster, nodes),
    allow_scheduling_on_control_planes: cluster.allow_scheduling_on_control_planes ?? controllers.length === nodes.length,
    repository_branch: cluster.repository_branch ?? 'main',
    repository_visibility: cluster.repository_visibility ?? 'public',
    ...(repositoryUrl === undefined ? {} : { repository_url: repositoryUrl }),
    ...(knownHosts === undefined ? {} : { repository_known_hosts: knownHosts }),
    cilium_loadbalancer_mode: cluster.cilium_loadbalancer_mode ?? 'dsr',
    cilium_bgp_enabled: isBgp,
    spegel_enabled: nodes.length > 1,
    talos_backup_enabled: cluster.backup_s3_endpoint !== undefined && cluster.backup_s3_bucket !== undefined,
    backup_s3_region: cluster.backup_s3_region ?? 'us-east-1',
    backup_schedule: cluster.backup_schedule ?? '0 */6 * * *',
    image_factory: cluster.image_factory ?? talosDefaults.factory,
    kube_prism_port: talosDefaults.kubePrismPort,
    sops_age_recipients: cluster.sops_age_recipients ?? [],
    nodes: nodes.map((node) => templateNode(node, cluster)),
  };
}

/** What `extra` must not set: every variable that has a meaning already. */
export function reservedNames(): ReadonlySet<string> {
  const anything = { node_cidr: '10.0.0.0/24', cluster_api_addr: '10.0.0.10', repository_name: 'owner/name' };
  const data = templateData(anything, [], { talosVersion: 'v1.14.0', kubernetesVersion: 'v1.37.0' });
  return new Set([...Object.keys(clusterKeys), ...Object.keys(data), 'patch_files']);
}

/** One control plane whose own address is the API's needs no floating one. */
export function hasVip(cluster: Pick<ClusterInput, 'cluster_api_addr'>, nodes: readonly Pick<NodeInput, 'address'>[]): boolean {
  return !nodes.some((node) => node.address === cluster.cluster_api_addr);
}

function templateNode(node: NodeInput, cluster: ClusterInput): TemplateNode {
  const drawsFromImage = (node.extensions ?? node.kernel_args) !== undefined;
  const schematicId = node.schematic_id ?? (drawsFromImage ? undefined : cluster.schematic_id);
  return {
    ...node,
    ...(schematicId === undefined ? {} : { schematic_id: schematicId }),
    mac_addr: node.mac_addr.toLowerCase(),
    mtu: node.mtu ?? 1500,
    secureboot: node.secureboot ?? false,
    encrypt_disk: node.encrypt_disk ?? false,
    kernel_modules: node.kernel_modules ?? [],
    extensions: node.extensions ?? [],
    kernel_args: node.kernel_args ?? [],
    labels: node.labels ?? {},
    taints: node.taints ?? {},
    container_runtime: node.container_runtime ?? 'runc',
  };
}

function githubUrl(cluster: ClusterInput): string | undefined {
  if (cluster.repository_name === undefined) return undefined;
  return cluster.repository_visibility === 'private'
    ? `ssh://git@github.com/${cluster.repository_name}.git`
    : `https://github.com/${cluster.repository_name}.git`;
}

/** "a,b" is how the first templates wrote a pair. */
export function listOf(value: string | readonly string[]): string[] {
  return typeof value === 'string' ? value.split(',').map((part) => part.trim()) : [...value];
}

/** Talos gives its DNS service the tenth address of the service network. */
function dnsAddress(serviceCidrs: readonly string[]): string | undefined {
  const network = serviceCidrs[0] === undefined ? undefined : networkOf(serviceCidrs[0]);
  return network ? nthHost(network, 10)?.text : undefined;
}
