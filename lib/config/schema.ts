import { z } from 'zod';
import { addressOf, networkOf, versionOf } from '../format/index.ts';
import type { Expected } from './failures.ts';

/** The newest version of the two files that this tk reads. They carry `version` only when they need a newer one. */
export const inputsVersion = 1;

const text = (expected: Expected, isOne: (value: string) => boolean, description: string, example: string) =>
  z
    .string()
    .refine(isOne, { params: { expected } })
    .meta({ description, examples: [example] });

const address = (description: string, example: string) => text('address', (value) => addressOf(value) !== undefined, description, example);
const network = (description: string, example: string) => text('network', (value) => networkOf(value) !== undefined, description, example);
const dnsName = (description: string, example: string) => text('dns-name', (value) => dnsNamePattern.test(value), description, example);
const version = (description: string, example: string) => text('version', (value) => versionOf(value) !== undefined, description, example);
/** ASNs and VLAN tags were text in the first templates, and people write numbers. */
const numeric = (expected: Expected, min: number, max: number, description: string) =>
  z
    .union([z.string(), z.number()])
    .refine((value) => /^[0-9]+$/.test(String(value)) && Number(value) >= min && Number(value) <= max, { params: { expected } })
    .transform(String)
    .meta({ description });

export const nodeNamePattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const dnsNamePattern = /^(?=.{1,253}$)(?:\*\.)?[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;
const macPattern = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i;
const urlPattern = /^(?:https?|ssh|oci):\/\/[^\s/]+(?:\/\S*)?$/;
const labelPattern = /^(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?$/;

/** A pair for clusters of both address families, the one that counts first; "a,b" is how the first templates wrote it. */
const networks = (description: string, example: string) => {
  const isPair = (value: string) => value.split(',').length <= 2 && value.split(',').every((part) => networkOf(part.trim()) !== undefined);
  return z
    .union([text('network', isPair, description, example), z.array(network(description, example)).min(1).max(2)])
    .meta({ description });
};

/** Keys of `cluster.yaml`. Absent and empty text are the same. Keys of providers are optional: a template that needs one says so. */
export const clusterKeys = {
  version: z.number().int().optional().meta({ description: 'Version of this file and of nodes.yaml' }),
  cluster_name: dnsName('Name of the cluster, as kubectl and talosctl show it. Default: kubernetes', 'home-ops').optional(),
  cluster_domain: dnsName('DNS domain inside of the cluster. Default: cluster.local', 'cluster.local').optional(),
  talos_version: version('Talos release of all nodes that name none. Default: the newest that this tk knows', 'v1.14.1').optional(),
  kubernetes_version: version('Kubernetes release. Default: the newest that fits to Talos', 'v1.37.0').optional(),
  node_cidr: network('Network of the nodes', '192.168.42.0/24'),
  node_dns_servers: z.array(address('DNS server', '1.1.1.1')).max(8).optional().meta({ description: 'Default: 1.1.1.1, 1.0.0.1' }),
  node_ntp_servers: z.array(z.string()).max(8).optional().meta({ description: 'Addresses or names. Default: 162.159.200.1 and .123' }),
  node_default_gateway: address('Default: the first address of node_cidr', '192.168.42.1').optional(),
  node_vlan_tag: numeric('vlan-tag', 1, 4094, 'VLAN of the nodes, when their switch ports are not untagged in it').optional(),
  cluster_api_addr: address('Address of the Kubernetes API: a free one in node_cidr, which the control planes share', '192.168.42.120'),
  cluster_api_tls_sans: z.array(z.string()).optional().meta({ description: 'More names for the certificate of the API server' }),
  cluster_pod_cidr: networks('Network of the pods. Default: 10.42.0.0/16', '10.42.0.0/16').optional(),
  cluster_svc_cidr: networks('Network of the services. Default: 10.43.0.0/16', '10.43.0.0/16').optional(),
  cluster_dns_gateway_addr: address('Load-balancer address of the DNS for the gateways', '192.168.42.122').optional(),
  cluster_gateway_addr: address('Load-balancer address of the internal gateway', '192.168.42.121').optional(),
  allow_scheduling_on_control_planes: z.boolean().optional().meta({ description: 'Default: true when there are no workers' }),
  repository_name: text('repository-name', (value) => /^[\w.-]+\/[\w.-]+$/.test(value), 'owner/name at GitHub', 'home/ops').optional(),
  repository_url: text(
    'url',
    (value) => urlPattern.test(value),
    'Where Flux reads this repository. Default: GitHub',
    'https://git.home.arpa/ops.git',
  ).optional(),
  repository_known_hosts: z
    .string()
    .optional()
    .meta({ description: 'Host keys for an ssh:// URL, as in ~/.ssh/known_hosts. Known for github.com, gitlab.com and codeberg.org' }),
  repository_branch: z.string().optional().meta({ description: 'Default: main' }),
  repository_visibility: z.enum(['public', 'private']).optional().meta({ description: 'Default: public' }),
  cloudflare_domain: dnsName('Public domain', 'example.com').optional(),
  cloudflare_gateway_addr: address('Load-balancer address of the external gateway', '192.168.42.123').optional(),
  cilium_loadbalancer_mode: z.enum(['dsr', 'snat']).optional().meta({ description: 'Default: dsr' }),
  cilium_bgp_router_addr: address('Router that Cilium speaks BGP with', '192.168.42.1').optional(),
  cilium_bgp_router_asn: numeric('asn', 1, 4294967295, 'AS number of the router').optional(),
  cilium_bgp_node_asn: numeric('asn', 1, 4294967295, 'AS number of the nodes').optional(),
  backup_s3_endpoint: text('url', (value) => urlPattern.test(value), 'S3 service for etcd snapshots', 'https://s3.home.arpa').optional(),
  backup_s3_bucket: z
    .string()
    .optional()
    .meta({ description: 'Bucket for etcd snapshots; with backup_s3_endpoint it turns talos-backup on' }),
  backup_s3_region: z.string().optional().meta({ description: 'Default: us-east-1' }),
  backup_schedule: z.string().optional().meta({ description: 'Cron schedule of the snapshots. Default: 0 */6 * * *' }),
  image_factory: dnsName('Host of the image factory. Default: factory.talos.dev', 'factory.talos.dev').optional(),
  schematic_id: text(
    'schematic-id',
    (value) => schematicPattern.test(value),
    'Schematic of all nodes that name none',
    '376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba',
  ).optional(),
  sops_age_recipients: z
    .array(text('age-recipient', (value) => /^age1(?:pq1)?[02-9ac-hj-np-z]{10,}$/.test(value), 'Public age key', 'age1…'))
    .optional()
    .meta({ description: 'Public age keys that secrets of this repository are encrypted for' }),
  extra: z.record(z.string(), z.unknown()).optional().meta({ description: 'Data of your own templates; each key becomes a variable' }),
} as const;

const schematicPattern = /^[0-9a-f]{64}$/;

/** Keys of each entry of `nodes` in `nodes.yaml`. */
export const nodeKeys = {
  name: text('node-name', (value) => nodeNamePattern.test(value), 'Host name', 'cp-1'),
  address: address('Address in node_cidr', '192.168.42.10'),
  controller: z.boolean().meta({ description: 'Whether the node is a control plane', examples: [true] }),
  disk: z
    .string()
    .min(1)
    .meta({ description: 'Install disk: a path that begins with /, or a serial number', examples: ['/dev/sda', 'S6PBNX0T312345'] }),
  mac_addr: text('mac-address', (value) => macPattern.test(value), 'Address of the network card', '00:11:22:33:44:55'),
  schematic_id: text(
    'schematic-id',
    (value) => schematicPattern.test(value),
    'Schematic of the image factory',
    '376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba',
  ).optional(),
  mtu: z.number().int().min(1450).max(9000).optional().meta({ description: 'Default: 1500' }),
  secureboot: z.boolean().optional().meta({ description: 'Installs the signed image. Default: false' }),
  encrypt_disk: z.boolean().optional().meta({ description: 'Encrypts STATE and EPHEMERAL with a key in the TPM. Default: false' }),
  kernel_modules: z
    .array(z.string())
    .optional()
    .meta({ description: 'Kernel modules to load', examples: [['nvidia', 'nvidia_uvm']] }),
  extensions: z
    .array(text('extension', (value) => /^[\w.-]+\/[\w.-]+$/.test(value), 'System extension', 'siderolabs/intel-ucode'))
    .optional()
    .meta({ description: 'System extensions; the schematic is made from them' }),
  kernel_args: z.array(z.string()).optional().meta({ description: 'Kernel arguments; the schematic is made from them' }),
  container_runtime: z.enum(['runc', 'nvidia']).optional().meta({ description: 'Default runtime of containers. Default: runc' }),
  labels: z
    .record(
      text('label', (value) => labelPattern.test(value), 'Label', 'gpu'),
      z.string(),
    )
    .optional()
    .meta({ description: 'Labels of the Kubernetes node' }),
  taints: z.record(z.string(), z.string()).optional().meta({ description: 'Taints of the Kubernetes node, value:Effect by key' }),
} as const;

export const clusterSchema = z.strictObject(clusterKeys).meta({ title: 'cluster.yaml of tk' });
export const nodeSchema = z.strictObject(nodeKeys).meta({ title: 'a node' });
export const nodesSchema = z.strictObject({ nodes: z.array(nodeSchema) }).meta({ title: 'nodes.yaml of tk' });

export type ClusterInput = z.output<typeof clusterSchema>;
export type NodeInput = z.output<typeof nodeSchema>;

/** Names that a key once had. Source: cluster-template before 2025-09 */
export const renamedClusterKeys: Readonly<Record<string, keyof typeof clusterKeys>> = {
  cloudflare_dns_gateway_addr: 'cluster_dns_gateway_addr',
  cloudflare_ingress_addr: 'cluster_gateway_addr',
  cloudflare_tunnel_ingress_addr: 'cloudflare_gateway_addr',
};

/** Keys that once had a meaning, and are passed over with a warning. Source: cluster-template before 2025-09 */
export const removedClusterKeys: readonly string[] = ['cloudflare_cluster_issuer'];

/** Values that only ever stand in the secrets file. `what` explains it to the one who is asked for it. */
export const secretKeys = {
  cloudflare_token: 'API token of Cloudflare with the permission Zone:DNS:Edit',
  backup_s3_access_key: 'access key of the S3 service for etcd snapshots',
  backup_s3_secret_key: 'secret key of the S3 service for etcd snapshots',
  github_deploy_key: 'private SSH key that Flux reads the repository with',
  flux_webhook_token: 'token that the Git host signs its webhooks with',
} as const;

export type SecretKey = keyof typeof secretKeys;

/** Names of directories below `talos/` that hold patches of something else than a node. */
export const reservedNodeNames: readonly string[] = ['global', 'controller', 'worker', 'clusterconfig'];
