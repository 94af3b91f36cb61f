import { type Failure, type Files, type NodeName, placeOf, relatedPlace, type SourceFile, type Span } from '../base/index.ts';
import { type DataDocument, type DataPath, parseYaml } from '../format/index.ts';
import { checkAddresses, checkGroup, checkNetworkSizes, checkNetworks, checkUnique, type Owned } from './checks.ts';
import { configFailure } from './failures.ts';
import { clusterFile, nodesFile } from './find.ts';
import { kindOf, valueAt } from './issues.ts';
import type { ClusterModel, ClusterPaths, DiskChoice, NodeModel } from './model.ts';
import { type ReadMapping, readMapping, unknownKey } from './read-mapping.ts';
import {
  type ClusterInput,
  clusterKeys,
  inputsVersion,
  type NodeInput,
  nodeKeys,
  renamedClusterKeys,
  reservedNodeNames,
} from './schema.ts';
import { type ClusterSecrets, isSecretKey, secretsInInputs } from './secret-inputs.ts';
import { hasVip, listOf, type TemplateData, templateData } from './template-data.ts';
import { checkVersions, defaultVersions } from './versions.ts';

export interface LoadedInputs {
  /** Absent when a failure leaves it open what the cluster is. */
  readonly model?: ClusterModel;
  readonly templateData?: TemplateData;
  /** Values that stand in a cluster.yaml which git ignores, as the first templates had it. */
  readonly secrets: ClusterSecrets;
  readonly warnings: readonly Failure[];
  readonly failures: readonly Failure[];
}

/**
 * Reads `cluster.yaml` and `nodes.yaml` and reports everything that is wrong with them at once, in the order of the files.
 *
 * Failure: as data. `model` and `templateData` are there when there is none.
 */
export async function loadClusterInputs(files: Files, root: string): Promise<LoadedInputs> {
  const cluster = await documentOf(files, root, clusterFile);
  const nodes = await documentOf(files, root, nodesFile);
  const failures = [...cluster.failures, ...nodes.failures];
  const warnings: Failure[] = [];
  const ignored = (await files.readText(`${root}/.gitignore`)) ?? '';
  const held = secretsInInputs(cluster.document, ignored);
  failures.push(...held.failures);

  const clusterRead = cluster.document && readCluster(cluster.document);
  const nodesRead = nodes.document && readNodes(nodes.document);
  for (const read of [clusterRead, nodesRead]) {
    failures.push(...(read?.failures ?? []));
    warnings.push(...(read?.warnings ?? []));
  }
  const clusterInputs = clusterRead && cluster.document ? { read: clusterRead, document: cluster.document } : undefined;
  failures.push(...checkTogether(clusterInputs, nodesRead?.entries ?? []));
  warnings.push(...evenControlPlanes(nodesRead?.entries ?? []));
  const ordered = { secrets: held.secrets, warnings: inFileOrder(warnings), failures: inFileOrder(failures) };
  if (failures.length > 0 || !clusterRead || !nodesRead) return ordered;

  const clusterInput = clusterRead.values as ClusterInput;
  const nodeInputs = nodesRead.entries.map((entry) => entry.read.values as NodeInput);
  const defaults = defaultVersions(clusterInput);
  const data = templateData(clusterInput, nodeInputs, defaults, await patchFiles(files, root));
  const paths = await clusterPaths(files, root);
  return { ...ordered, templateData: data, model: clusterModel(clusterInput, nodesRead.entries, data, paths) };
}

/** Collects the failures of YAML itself; a file that is not there or empty is one too. */
async function documentOf(files: Files, root: string, path: string): Promise<{ document?: DataDocument; failures: readonly Failure[] }> {
  const text = await files.readText(`${root}/${path}`);
  if (text === undefined) return { failures: [configFailure('config/missing-file', { path })] };
  const file: SourceFile = { path, text };
  const { documents, failures } = parseYaml(file);
  const [document] = documents;
  if (failures.length > 0) return { failures };
  if (!document || document.value === null) {
    return { failures: [configFailure('config/empty-file', { path }, { where: placeOf({ file, start: 0, end: 1 }) })] };
  }
  return { document, failures };
}

function readCluster(document: DataDocument): ReadMapping {
  const read = readMapping(document, [], { keys: clusterKeys, renamed: renamedClusterKeys, ignored: isSecretKey });
  const failures = [...read.failures];
  const version = read.values['version'];
  if (typeof version === 'number' && version !== inputsVersion) {
    const where = placeOf(document.spanOf(['version']));
    failures.push(configFailure('config/unsupported-version', { found: version, newest: inputsVersion }, { where }));
  }
  const extra = read.values['extra'];
  for (const key of kindOf(extra) === 'mapping' ? Object.keys(extra as object) : []) {
    if (!Object.hasOwn(clusterKeys, key) && key !== 'nodes') continue;
    failures.push(configFailure('config/reserved-data-name', { key }, { where: placeOf(document.spanOf(['extra', key], 'key')) }));
  }
  return { ...read, failures };
}

interface NodeEntry {
  readonly read: ReadMapping;
  readonly path: DataPath;
  readonly document: DataDocument;
}

function readNodes(document: DataDocument): { entries: readonly NodeEntry[]; failures: readonly Failure[]; warnings: readonly Failure[] } {
  const failures: Failure[] = [];
  const whole = document.value;
  if (kindOf(whole) !== 'mapping') {
    const where = placeOf(document.spanOf([]));
    return {
      entries: [],
      warnings: [],
      failures: [configFailure('config/wrong-type', { key: nodesFile, expected: 'mapping', found: kindOf(whole) }, { where })],
    };
  }
  for (const key of Object.keys(whole as object)) {
    if (key !== 'nodes') failures.push(unknownKey(key, ['nodes'], placeOf(document.spanOf([key], 'key'))));
  }
  const list = valueAt(whole, ['nodes']);
  if (!Array.isArray(list)) {
    const where = placeOf(document.spanOf(['nodes']));
    failures.push(
      list === undefined || list === null
        ? configFailure('config/missing-key', { key: 'nodes' }, { where })
        : configFailure('config/wrong-type', { key: 'nodes', expected: 'list', found: kindOf(list) }, { where }),
    );
    return { entries: [], failures, warnings: [] };
  }
  const entries = list.map((_, index): NodeEntry => {
    const path = ['nodes', index];
    return { read: readMapping(document, path, { keys: nodeKeys }), path, document };
  });
  if (entries.every(({ read }) => read.failures.length === 0) && !entries.some(({ read }) => read.values['controller'] === true)) {
    failures.push(
      configFailure('config/no-control-plane', { nodes: entries.length }, { where: placeOf(document.spanOf(['nodes'], 'key')) }),
    );
  }
  for (const entry of entries) failures.push(...entry.read.failures, ...checkNode(entry));
  return { entries, failures, warnings: entries.flatMap(({ read }) => read.warnings) };
}

function checkNode({ read, document, path }: NodeEntry): Failure[] {
  const failures: Failure[] = [];
  const name = nameOf(read, path);
  if (reservedNodeNames.includes(name)) {
    failures.push(configFailure('config/reserved-node-name', { node: name }, { where: placeOf(document.spanOf([...path, 'name'])) }));
  }
  for (const second of ['extensions', 'kernel_args']) {
    if (!read.paths.has('schematic_id') || !read.paths.has(second)) continue;
    const related = [relatedPlace(document.spanOf([...path, 'schematic_id'], 'key'), 'the schematic is given here')];
    const where = placeOf(document.spanOf([...path, second], 'key'), related);
    failures.push(configFailure('config/exclude-each-other', { node: name, first: 'schematic_id', second }, { where }));
  }
  return failures;
}

function nameOf(read: ReadMapping, path: DataPath): string {
  return typeof read.values['name'] === 'string' ? read.values['name'] : `nodes[${path[1]}]`;
}

const bgpKeys = ['cilium_bgp_router_addr', 'cilium_bgp_router_asn', 'cilium_bgp_node_asn'];

/** What one value alone cannot tell. Goes on with whatever is right in itself. */
function checkTogether(cluster: { read: ReadMapping; document: DataDocument } | undefined, entries: readonly NodeEntry[]): Failure[] {
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
    ...checkGroup('backup', ['backup_s3_endpoint', 'backup_s3_bucket'], spans),
    ...(cluster ? checkVersions(cluster.read.values as Partial<ClusterInput>, (key) => spans.get(key)) : []),
  ];
}

/** The defaults may overlap with a node network that somebody chose; the place to change is then the node network. */
function defaultNetworks(nodeNetwork: Owned, pods: readonly Owned[], services: readonly Owned[]): Owned[] {
  const at = (owner: string, value: string): Owned => ({ owner, isNode: false, value, span: nodeNetwork.span });
  return [
    ...(pods.length > 0 ? [] : [at('cluster_pod_cidr', '10.42.0.0/16')]),
    ...(services.length > 0 ? [] : [at('cluster_svc_cidr', '10.43.0.0/16')]),
  ];
}

function evenControlPlanes(entries: readonly NodeEntry[]): Failure[] {
  const controllers = entries.filter(({ read }) => read.values['controller'] === true);
  const last = controllers.at(-1);
  const areAllKnown = entries.every(({ read }) => read.paths.has('controller'));
  if (!last || !areAllKnown || controllers.length % 2 === 1) return [];
  const tolerated = Math.max(0, Math.ceil(controllers.length / 2) - 1);
  const where = placeOf(last.document.spanOf([...last.path, 'controller']));
  return [configFailure('config/even-control-planes', { count: controllers.length, tolerated }, { where })];
}

function inFileOrder(failures: readonly Failure[]): Failure[] {
  const rank = ({ where }: Failure): [number, number, number] =>
    where?.kind === 'file' ? [where.path === clusterFile ? 0 : 1, where.line, where.column] : [-1, 0, 0];
  return [...failures].sort((a, b) => {
    const [left, right] = [rank(a), rank(b)];
    return left[0] - right[0] || left[1] - right[1] || left[2] - right[2];
  });
}

function clusterModel(cluster: ClusterInput, entries: readonly NodeEntry[], data: TemplateData, paths: ClusterPaths): ClusterModel {
  const nodes = data.nodes.map((node, index): NodeModel => {
    const entry = entries[index] as NodeEntry;
    return {
      name: node.name as NodeName,
      address: node.address,
      addresses: [node.address],
      role: node.controller ? 'controlplane' : 'worker',
      disk: diskOf(node.disk),
      macAddresses: [node.mac_addr],
      talosVersion: withV(String(data['talos_version'])),
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
    talosVersion: withV(String(data['talos_version'])),
    kubernetesVersion: withV(String(data['kubernetes_version'])),
    podSubnets: data['cluster_pod_cidrs'] as string[],
    serviceSubnets: data['cluster_svc_cidrs'] as string[],
    nodes,
    paths,
  };
}

function withV(version: string): string {
  return version.startsWith('v') ? version : `v${version}`;
}

function diskOf(disk: string): DiskChoice {
  return disk.startsWith('/') ? { by: 'path', path: disk } : { by: 'selector', selector: { serial: disk } };
}

/** Where the templates of patches lie, one directory for each of `global`, `controller`, `worker` and nodes that need one. */
const patchTemplates = 'templates/config/talos/patches';

async function patchFiles(files: Files, root: string): Promise<Record<string, readonly string[]>> {
  const found: Record<string, readonly string[]> = {};
  for (const { name: directory, kind } of await files.list(`${root}/${patchTemplates}`)) {
    if (kind !== 'directory') continue;
    const entries = await files.list(`${root}/${patchTemplates}/${directory}`);
    found[directory] = entries
      .map(({ name }) => name.replace(/\.j2$/, ''))
      .filter((name) => /\.ya?ml$/.test(name) && !name.endsWith('.partial.yaml'));
  }
  return found;
}

const secretsPlaces = [
  'talos/talsecret.sops.yaml',
  'talos/talsecret.sops.yml',
  'talos/talsecret.yaml',
  'talos/secrets.sops.yaml',
  'talos/secrets.yaml',
];

async function clusterPaths(files: Files, root: string): Promise<ClusterPaths> {
  let secrets: string | undefined;
  for (const place of secretsPlaces) if (secrets === undefined && (await files.stat(`${root}/${place}`))) secrets = `${root}/${place}`;
  const kubernetes = (await files.stat(`${root}/kubernetes`))?.kind === 'directory' ? `${root}/kubernetes` : undefined;
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
