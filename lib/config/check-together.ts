import { type Failure, placeOf, relatedPlace, type Span } from '../base/index.ts';
import type { DataDocument } from '../format/index.ts';
import { checkAddresses, checkGroup, checkNetworkSizes, checkNetworks, checkUnique, type Owned } from './checks.ts';
import { configFailure } from './failures.ts';
import { knownHostsOf, sshHostOf } from './known-hosts.ts';
import { type NodeEntry, nameOf } from './node-entry.ts';
import type { ReadMapping } from './read-mapping.ts';
import type { ClusterInput } from './schema.ts';
import { listOf } from './template-data.ts';
import { checkVersions } from './versions.ts';

const bgpKeys = ['cilium_bgp_router_addr', 'cilium_bgp_router_asn', 'cilium_bgp_node_asn'];

/** What one value alone cannot tell. Goes on with whatever is right in itself. */
export function checkTogether(
  cluster: { read: ReadMapping; document: DataDocument } | undefined,
  entries: readonly NodeEntry[],
): Failure[] {
  const inCluster = (key: string): Owned[] => {
    const path = cluster?.read.paths.get(key);
    const value = cluster?.read.values[key];
    if (!cluster || !path || (typeof value !== 'string' && !Array.isArray(value))) return [];
    if (typeof value === 'string')
      return listOf(value).map((part) => ({ owner: key, isNode: false, value: part, span: cluster.document.spanOf(path) }));
    return value.map((part, index) => ({
      owner: key,
      isNode: false,
      value: String(part),
      span: cluster.document.spanOf([...path, index]),
    }));
  };
  const inNodes = (key: string): Owned[] =>
    entries.flatMap(({ read, path, document }) => {
      const value = read.values[key];
      return typeof value === 'string' ? [{ owner: nameOf(read, path), isNode: true, value, span: document.spanOf([...path, key]) }] : [];
    });

  const [nodeNetwork] = inCluster('node_cidr');
  const podNetworks = inCluster('cluster_pod_cidr');
  const serviceNetworks = inCluster('cluster_svc_cidr');
  const defaulted = nodeNetwork ? defaultNetworks(nodeNetwork, podNetworks, serviceNetworks) : [];
  const gateways = ['cluster_gateway_addr', 'cluster_dns_gateway_addr', 'cloudflare_gateway_addr'];
  const isBgp = bgpKeys.every((key) => cluster?.read.paths.has(key));
  const controlPlanes = entries.filter(({ read }) => read.values['controller'] === true).map(({ read, path }) => nameOf(read, path));
  const spans = new Map(
    [...(cluster?.read.paths ?? [])].map(([key, path]): [string, Span] => [
      key,
      (cluster as { document: DataDocument }).document.spanOf(path, 'key'),
    ]),
  );

  return [
    ...checkNetworks([...(nodeNetwork ? [nodeNetwork] : []), ...podNetworks, ...serviceNetworks, ...defaulted]),
    ...checkNetworkSizes(podNetworks, serviceNetworks, entries.length),
    ...checkAddresses({
      ...(nodeNetwork ? { nodeNetwork } : {}),
      addresses: [...['cluster_api_addr', ...gateways, 'node_default_gateway'].flatMap(inCluster), ...inNodes('address')],
      mayLieOutside: new Set(isBgp ? gateways : []),
      mayShare: (first, second) =>
        first.owner === 'cluster_api_addr' && controlPlanes.length === 1 && second.isNode && second.owner === controlPlanes[0],
    }),
    ...checkUnique(inNodes('name'), (first, second) =>
      configFailure(
        'config/duplicate-node-name',
        { node: second.value },
        { where: placeOf(second.span, [relatedPlace(first.span, 'first used here')]) },
      ),
    ),
    ...checkUnique(
      inNodes('mac_addr').map((owned) => ({ ...owned, value: owned.value.toLowerCase() })),
      (first, second) =>
        configFailure(
          'config/duplicate-mac-address',
          { mac: second.value, first: first.owner, second: second.owner },
          { where: placeOf(second.span, [relatedPlace(first.span, `first used here by \`${first.owner}\``)]) },
        ),
    ),
    ...checkUnique(
      inNodes('disk').filter(({ value }) => !value.startsWith('/')),
      (first, second) =>
        configFailure(
          'config/duplicate-disk',
          { serial: second.value, first: first.owner, second: second.owner },
          { where: placeOf(second.span, [relatedPlace(first.span, `first used here by \`${first.owner}\``)]) },
        ),
    ),
    ...checkGroup('BGP', bgpKeys, spans),
    ...checkKnownHosts(cluster),
    ...checkGroup('backup', ['backup_s3_endpoint', 'backup_s3_bucket'], spans),
    ...(cluster ? checkVersions(cluster.read.values as Partial<ClusterInput>, (key) => spans.get(key)) : []),
  ];
}

/** Flux refuses a host whose key it does not know. */
function checkKnownHosts(cluster: { read: ReadMapping; document: DataDocument } | undefined): Failure[] {
  const path = cluster?.read.paths.get('repository_url');
  const url = cluster?.read.values['repository_url'];
  if (!cluster || !path || typeof url !== 'string' || cluster.read.paths.has('repository_known_hosts')) return [];
  const host = sshHostOf(url);
  if (host === undefined || knownHostsOf(url) !== undefined) return [];
  return [configFailure('config/missing-known-hosts', { host }, { where: placeOf(cluster.document.spanOf(path)) })];
}

/** The defaults may overlap with a node network that somebody chose; the place to change is then the node network. */
function defaultNetworks(nodeNetwork: Owned, pods: readonly Owned[], services: readonly Owned[]): Owned[] {
  const at = (owner: string, value: string): Owned => ({ owner, isNode: false, value, span: nodeNetwork.span });
  return [
    ...(pods.length > 0 ? [] : [at('cluster_pod_cidr', '10.42.0.0/16')]),
    ...(services.length > 0 ? [] : [at('cluster_svc_cidr', '10.43.0.0/16')]),
  ];
}

/** A warning: an even number tolerates no more than one less would. */
export function evenControlPlanes(entries: readonly NodeEntry[]): Failure[] {
  const controllers = entries.filter(({ read }) => read.values['controller'] === true);
  const last = controllers.at(-1);
  const areAllKnown = entries.every(({ read }) => read.paths.has('controller'));
  if (!last || !areAllKnown || controllers.length % 2 === 1) return [];
  const tolerated = Math.max(0, Math.ceil(controllers.length / 2) - 1);
  const where = placeOf(last.document.spanOf([...last.path, 'controller']));
  return [configFailure('config/even-control-planes', { count: controllers.length, tolerated }, { where })];
}
