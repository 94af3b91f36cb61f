import { Secret, TkError } from '../../base/index.ts';
import { editYaml, parseYamlBulk } from '../../format/index.ts';
import { kubernetesUpgradeFailure } from './failures.ts';
import type { KubernetesPart } from './kubernetes-upgrade.ts';

/**
 * Where a config names the image of a part: in the part's own document where it has one (from 1.14 on), else in the old one.
 * Source: Talos pkg/machinery/config/generate/stdpatches/{guess,stdpatches}.go
 */
const places: Readonly<Record<KubernetesPart, { readonly kind: string; readonly old: readonly [string, string] }>> = {
  'kube-apiserver': { kind: 'KubeAPIServerConfig', old: ['cluster', 'apiServer'] },
  'kube-controller-manager': { kind: 'KubeControllerManagerConfig', old: ['cluster', 'controllerManager'] },
  'kube-scheduler': { kind: 'KubeSchedulerConfig', old: ['cluster', 'scheduler'] },
  'kube-proxy': { kind: 'KubeProxyConfig', old: ['cluster', 'proxy'] },
  kubelet: { kind: 'KubeletConfig', old: ['machine', 'kubelet'] },
};

interface Tree {
  readonly [key: string]: unknown;
}

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);
const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((found, key) => (isTree(found) ? found[key] : undefined), value);

/** Undefined: the config names none, and the machine takes that of its own release. */
export function imageIn(config: Secret<string>, part: KubernetesPart): string | undefined {
  const { kind, old } = places[part];
  const documents = candidates(splitDocuments(config.reveal()), kind);
  const own = documents.find((document) => at(document, 'kind') === kind);
  const image = own === undefined ? at(documents.find(isOld), ...old, 'image') : at(own, 'image');
  return typeof image === 'string' && image !== '' ? image : undefined;
}

/**
 * The same config with another image of one part; the very same when it names that one. Only that value is written: every other document, comment and order stays as it is,
 * also of kinds that nobody here knows.
 *
 * Failure: `upgrade-k8s/config-unreadable` when the config has neither the document nor the old one, or when the change did not come
 * out as meant.
 */
export function withImage(config: Secret<string>, part: KubernetesPart, image: string, node: string): Secret<string> {
  const { kind, old } = places[part];
  const pieces = splitDocuments(config.reveal());
  const values = candidates(pieces, kind);
  const own = values.findIndex((value) => at(value, 'kind') === kind);
  const index = own === -1 ? values.findIndex(isOld) : own;
  const piece = pieces[index];
  if (!piece) throw unreadable(node, part, `it has neither ${kind} nor a document without a kind`);
  const path = own === -1 ? [...old, 'image'] : ['image'];
  if (at(values[index], ...path) === image) return config;
  // The longest part of the path that is a mapping stays; what is missing below it is written with it.
  let depth = path.length - 1;
  while (depth > 0 && !isTree(at(values[index], ...path.slice(0, depth)))) depth -= 1;
  const value = path.slice(depth + 1).reduceRight<unknown>((inner, key) => ({ [key]: inner }), image);
  const edited = editYaml({ path: `${node}.yaml`, text: piece.text }, [{ op: 'set', path: path.slice(0, depth + 1), value }]);
  if (at(parseYamlBulk(edited, { version: 'go' })[0], ...path) !== image)
    throw unreadable(node, part, 'the image did not come out as meant');
  return new Secret(pieces.map(({ marker, text }, place) => marker + (place === index ? edited : text)).join(''));
}

/** The value of each document that may be the wanted one; the others are not read, whatever is in them. */
const candidates = (pieces: readonly { readonly text: string }[], kind: string): readonly unknown[] =>
  pieces.map(({ text }) =>
    text.includes(kind) || /^machine:/m.test(text) || !/^kind:/m.test(text) ? parseYamlBulk(text, { version: 'go' })[0] : undefined,
  );

const isOld = (document: unknown): boolean => isTree(document) && document['kind'] === undefined && isTree(document['machine']);

function unreadable(node: string, part: KubernetesPart, reason: string): TkError {
  return new TkError(kubernetesUpgradeFailure('upgrade-k8s/config-unreadable', { node, part, reason }));
}

/** Text of each document with the line that begins it. Joined again they are the file. */
function splitDocuments(text: string): readonly { readonly marker: string; readonly text: string }[] {
  const pieces: { marker: string; text: string }[] = [{ marker: '', text: '' }];
  // A line of three dashes can only be a marker: what a block holds is indented.
  for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    if (/^---\s*(?:#.*)?\r?\n?$/.test(line)) pieces.push({ marker: line, text: '' });
    else (pieces.at(-1) as { text: string }).text += line;
  }
  return pieces;
}
