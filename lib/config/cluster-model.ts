import type { Files, NodeName } from '../base/index.ts';
import type { ClusterModel, ClusterPaths, DiskChoice, NodeModel } from './model.ts';
import type { NodeEntry } from './node-entry.ts';
import type { ClusterInput } from './schema.ts';
import { hasVip, type TemplateData } from './template-data.ts';

/** The cluster that valid inputs describe. */
export function clusterModel(cluster: ClusterInput, entries: readonly NodeEntry[], data: TemplateData, paths: ClusterPaths): ClusterModel {
  const nodes = data.nodes.map((node, index): NodeModel => {
    const entry = entries[index] as NodeEntry;
    return {
      name: node.name as NodeName,
      address: node.address,
      addresses: [node.address],
      role: node.controller ? 'controlplane' : 'worker',
      disk: diskOf(node.disk),
      macAddresses: [node.mac_addr],
      talosVersion: String(data['talos_version']),
      ...(node.schematic_id === undefined ? {} : { schematicId: node.schematic_id }),
      secureBoot: node.secureboot,
      declaredAt: entry.document.spanOf([...entry.path, 'name']),
    };
  });
  return {
    name: String(data['cluster_name']),
    source: 'cluster.yaml',
    endpoint: `https://${cluster.cluster_api_addr.includes(':') ? `[${cluster.cluster_api_addr}]` : cluster.cluster_api_addr}:6443`,
    ...(hasVip(cluster, data.nodes) ? { vip: cluster.cluster_api_addr } : {}),
    talosVersion: String(data['talos_version']),
    kubernetesVersion: String(data['kubernetes_version']),
    podSubnets: data['cluster_pod_cidrs'] as string[],
    serviceSubnets: data['cluster_svc_cidrs'] as string[],
    nodes,
    paths,
  };
}

function diskOf(disk: string): DiskChoice {
  return disk.startsWith('/') ? { by: 'path', path: disk } : { by: 'selector', selector: { serial: disk } };
}

const secretsPlaces = [
  'talos/talsecret.sops.yaml',
  'talos/talsecret.sops.yml',
  'talos/talsecret.yaml',
  'talos/secrets.sops.yaml',
  'talos/secrets.yaml',
];

/** Where things are in a repository of cluster.yaml. */
export async function clusterPaths(files: Files, root: string): Promise<ClusterPaths> {
  let secrets: string | undefined;
  for (const place of secretsPlaces) if (secrets === undefined && (await files.stat(`${root}/${place}`))) secrets = `${root}/${place}`;
  // A fresh repository has only the templates of its Flux tree: `configure` renders it before anything needs it.
  const is = async (kind: 'directory' | 'file', path: string) => (await files.stat(`${root}/${path}`))?.kind === kind;
  const isDirectory = (path: string) => is('directory', path);
  // One that has no templates at all and was never rendered gets those that come with tk.
  const isBare = async () =>
    !(await isDirectory('templates/config')) && !(await is('file', 'makejinja.toml')) && !(await is('file', 'talos/talconfig.yaml'));
  const kubernetes =
    (await isDirectory('kubernetes')) || (await isDirectory('templates/config/kubernetes')) || (await isBare())
      ? `${root}/kubernetes`
      : undefined;
  return {
    root,
    talconfig: `${root}/talos/talconfig.yaml`,
    ...(secrets === undefined ? {} : { secrets }),
    clusterConfig: `${root}/talos/clusterconfig`,
    talosconfig: `${root}/talos/clusterconfig/talosconfig`,
    kubeconfig: `${root}/kubeconfig`,
    ...(kubernetes === undefined ? {} : { kubernetes }),
  };
}
