import { type Place, TkError, suggestionFor } from '../../base/index.ts';
import { type ConfigDocument, documentLabel } from './document.ts';
import { plainDocument } from './encode.ts';
import { talosConfigFailure } from './failures.ts';
import { placeInPatch } from './generate.ts';
import type { Layer } from './generate-request.ts';

/** One step that changed the value. */
export interface ExplainedLayer {
  /** `generated`, the node's name, or the path of the patch. */
  readonly origin: string;
  readonly kind: Layer['kind'];
  /** Where the patch says it; absent for what the generator wrote. */
  readonly where?: Place;
  /** The whole value as it stood after this step; undefined when the step deleted it. */
  readonly value: unknown;
}

export interface Explanation {
  /** `v1alpha1`, `HostnameConfig`, `UserVolumeConfig data`. */
  readonly document: string;
  readonly path: readonly string[];
  /** Undefined when nothing is set. May be a secret: print it through the redactor. */
  readonly value: unknown;
  /** Oldest first; the last one won. Empty when nothing ever set it. */
  readonly layers: readonly ExplainedLayer[];
}

/**
 * What a field is, and which steps made it so.
 *
 * Shape: `machine.network.hostname`, `KubeletConfig.extraArgs`, `UserVolumeConfig/data.provisioning`; keys may hold points.
 * Failure: `talos-config/no-such-document` when the configuration never had a document of that kind.
 */
export function explainField(layers: readonly Layer[], question: string): Explanation {
  const last = layers.at(-1);
  const wanted = documentOf(layers, question);
  let before: string | undefined;
  let path: readonly string[] = [];
  const explained: ExplainedLayer[] = [];
  for (const layer of layers) {
    const document = layer.documents.find((one) => documentLabel(one) === wanted.label);
    const found = document ? lookUp(plainDocument(document), wanted.path) : undefined;
    if (found && found.path.length > path.length) path = found.path;
    const now = found ? JSON.stringify(found.value, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)) : undefined;
    if (now === before) continue;
    before = now;
    const isPatch = layer.file !== undefined && layer.kind !== 'node' && document !== undefined;
    explained.push({
      origin: layer.origin,
      kind: layer.kind,
      ...(isPatch && layer.file && document ? { where: placeInPatch(layer.file, document, found?.path ?? []) } : {}),
      value: found?.value,
    });
  }
  const document = last?.documents.find((one) => documentLabel(one) === wanted.label);
  return {
    document: wanted.label,
    path,
    value: document ? lookUp(plainDocument(document), wanted.path)?.value : undefined,
    layers: explained,
  };
}

function documentOf(layers: readonly Layer[], question: string): { readonly label: string; readonly path: string } {
  const all = layers.flatMap(({ documents }) => documents);
  const [, kind = '', name, rest = ''] = /^([A-Z]\w*)(?:\/([^.]+(?:\.\d+)*))?(?:\.(.*))?$/.exec(question) ?? [];
  if (kind === '') return { label: 'v1alpha1', path: question };
  const ofKind = all.filter((document) => document.kind === kind && (name === undefined || document.name === name));
  const [first] = ofKind;
  if (!first) {
    const known = [...new Set(all.map((document: ConfigDocument) => document.kind))];
    const suggestion = suggestionFor(kind, known);
    throw new TkError(
      talosConfigFailure('talos-config/no-such-document', {
        document: name === undefined ? kind : `${kind} ${name}`,
        ...(suggestion ? { suggestion } : {}),
      }),
    );
  }
  return { label: documentLabel(first), path: rest };
}

/** Takes the longest key that fits at each level, so that `sysctls.vm.max_map_count` needs no quotes. */
function lookUp(value: unknown, path: string): { readonly value: unknown; readonly path: readonly string[] } | undefined {
  if (path === '') return { value, path: [] };
  if (Array.isArray(value)) {
    const [, index = '', rest = ''] = /^\[?(\d+)\]?\.?(.*)$/.exec(path) ?? [];
    const found = index === '' || value[Number(index)] === undefined ? undefined : lookUp(value[Number(index)], rest);
    return found && { value: found.value, path: [index, ...found.path] };
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const keys = Object.keys(value).filter((key) => path === key || path.startsWith(`${key}.`) || path.startsWith(`${key}[`));
  for (const key of keys.sort((a, b) => b.length - a.length)) {
    const found = lookUp((value as Record<string, unknown>)[key], path.slice(key.length).replace(/^\./, ''));
    if (found) return { value: found.value, path: [key, ...found.path] };
  }
  return undefined;
}
