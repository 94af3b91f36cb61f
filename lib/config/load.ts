import { type Failure, type Files, placeOf, relatedPlace, type SourceFile } from '../base/index.ts';
import { type DataDocument, parseYaml } from '../format/index.ts';
import { checkTogether, evenControlPlanes } from './check-together.ts';
import { clusterModel, clusterPaths } from './cluster-model.ts';
import { configFailure } from './failures.ts';
import { clusterFile, nodesFile } from './find.ts';
import { kindOf, valueAt } from './issues.ts';
import type { ClusterModel } from './model.ts';
import { type NodeEntry, nameOf } from './node-entry.ts';
import { type ReadMapping, readMapping, unknownKey } from './read-mapping.ts';
import {
  type ClusterInput,
  clusterKeys,
  inputsVersion,
  type NodeInput,
  nodeKeys,
  removedClusterKeys,
  renamedClusterKeys,
  reservedNodeNames,
} from './schema.ts';
import { type ClusterSecrets, isSecretKey, secretsInInputs } from './secret-inputs.ts';
import { reservedNames, type TemplateData, templateData } from './template-data.ts';
import { defaultVersions } from './versions.ts';

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
  const data = templateData(clusterInput, nodeInputs, defaults);
  const paths = await clusterPaths(files, root);
  return { ...ordered, templateData: data, model: clusterModel(clusterInput, nodesRead.entries, data, paths) };
}

/** Collects the failures of YAML itself; a file that is not there or empty is one too. */
async function documentOf(files: Files, root: string, path: string): Promise<{ document?: DataDocument; failures: readonly Failure[] }> {
  const text = await files.readText(`${root}/${path}`);
  if (text === undefined) return { failures: [configFailure('config/missing-file', { path })] };
  const file: SourceFile = { path, text };
  const { documents, failures } = parseYaml(file);
  const [document, second] = documents;
  if (failures.length > 0) return { failures };
  if (second && second.value !== null) {
    const { source } = second;
    return { failures: [configFailure('config/several-documents', { path }, { where: placeOf({ ...source, end: source.start + 1 }) })] };
  }
  if (!document || document.value === null) {
    return { failures: [configFailure('config/empty-file', { path }, { where: placeOf({ file, start: 0, end: 1 }) })] };
  }
  return { document, failures };
}

function readCluster(document: DataDocument): ReadMapping {
  const read = readMapping(document, [], {
    keys: clusterKeys,
    renamed: renamedClusterKeys,
    removed: removedClusterKeys,
    ignored: isSecretKey,
  });
  const failures = [...read.failures];
  const version = read.values['version'];
  if (typeof version === 'number' && version !== inputsVersion) {
    const where = placeOf(document.spanOf(['version']));
    failures.push(configFailure('config/unsupported-version', { found: version, newest: inputsVersion }, { where }));
  }
  const extra = read.values['extra'];
  const reserved = reservedNames();
  for (const key of kindOf(extra) === 'mapping' ? Object.keys(extra as object) : []) {
    if (!reserved.has(key)) continue;
    failures.push(configFailure('config/reserved-data-name', { key }, { where: placeOf(document.spanOf(['extra', key], 'key')) }));
  }
  return { ...read, failures };
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

function inFileOrder(failures: readonly Failure[]): Failure[] {
  const rank = ({ where }: Failure): [number, number, number] =>
    where?.kind === 'file' ? [where.path === clusterFile ? 0 : 1, where.line, where.column] : [-1, 0, 0];
  return [...failures].sort((a, b) => {
    const [left, right] = [rank(a), rank(b)];
    return left[0] - right[0] || left[1] - right[1] || left[2] - right[2];
  });
}
