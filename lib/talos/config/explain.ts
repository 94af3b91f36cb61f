import { type Place, suggestionFor, TkError } from '../../base/index.ts';
import { machineConfigSchema, type TalosMinor } from '../../upstream/tables.ts';
import { type ConfigDocument, documentLabel } from './document.ts';
import { plainDocument } from './encode.ts';
import { talosConfigFailure } from './failures.ts';
import { placeInPatch } from './generate.ts';
import type { Layer } from './generate-request.ts';
import { laterMinorOfKind, unknownField } from './known-field.ts';

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
 * Shape: `machine.network.hostname`, `KubeletConfig.extraArgs`, `UserVolumeConfig/data.provisioning`; keys may hold points, and may
 * be quoted as `sysctls["vm.swappiness"]`. One answer a document of the kind, in their order; one without layers where the
 * configuration has none.
 * Failure: `talos-config/no-such-field` when that version knows no such field, `talos-config/no-such-document` when it knows no such
 * kind and nobody wrote one, or when no document has the name.
 */
export function explainField(layers: readonly Layer[], question: string, minor: TalosMinor): readonly Explanation[] {
  const asked = question.replace(/\.?\["((?:[^"\\]|\\.)*)"\]/g, '.$1');
  const { labels, path } = documentsAsked(layers, asked, minor);
  return labels.map((label) => explainIn(layers, label, path));
}

function explainIn(layers: readonly Layer[], label: string, question: string): Explanation {
  let before: string | undefined;
  let path: readonly string[] = [];
  let value: unknown;
  const explained: ExplainedLayer[] = [];
  for (const layer of layers) {
    const document = layer.documents.find((one) => documentLabel(one) === label);
    const found = document ? lookUp(plainDocument(document), question) : undefined;
    value = found?.value;
    if (found && found.path.length > path.length) path = found.path;
    const now = found ? JSON.stringify(found.value, (_, child: unknown) => (typeof child === 'bigint' ? String(child) : child)) : undefined;
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
  return { document: label, path, value, layers: explained };
}

function documentsAsked(
  layers: readonly Layer[],
  question: string,
  minor: TalosMinor,
): { readonly labels: readonly string[]; readonly path: string } {
  const all = layers.flatMap(({ documents }) => documents);
  const [, kind = 'v1alpha1', separator = '', words = ''] = /^([A-Z]\w*)(?:([./[])(.*))?$/.exec(question) ?? [
    undefined,
    undefined,
    '',
    question,
  ];
  const ofKind = all.filter((document) => document.kind === kind);
  const { kinds } = machineConfigSchema(minor);
  if (ofKind.length === 0 && !kinds.has(kind)) {
    const suggestion = suggestionFor(kind, [...all.map((document: ConfigDocument) => document.kind), ...kinds.keys()]);
    const since = laterMinorOfKind(kind, minor);
    throw new TkError(
      talosConfigFailure('talos-config/no-such-document', {
        document: kind,
        ...(since ? { since } : suggestion ? { suggestion } : {}),
      }),
    );
  }
  let named: readonly ConfigDocument[] = ofKind;
  let path = separator === '[' ? `[${words}` : words;
  if (separator === '/') {
    // Names may hold points and slashes: the longest that fits is meant.
    const names = [...new Set(ofKind.map(({ name }) => name))].filter((name) => name !== '');
    const [name] = names
      .filter((one) => words === one || (/^[.[]/.test(words.slice(one.length)) && words.startsWith(one)))
      .sort((a, b) => b.length - a.length);
    if (name === undefined) {
      const [unknown = ''] = /^[^.[]*/.exec(words) ?? [];
      const suggestion = suggestionFor(unknown, names);
      throw new TkError(
        talosConfigFailure('talos-config/no-such-document', {
          document: `${kind} ${unknown}`,
          ...(suggestion ? { suggestion: `${kind}/${suggestion}` } : {}),
        }),
      );
    }
    named = ofKind.filter((document) => document.name === name);
    path = words.slice(name.length).replace(/^\./, '');
  }
  const failure = unknownField({ kind, path }, minor);
  if (failure) throw new TkError(failure);
  const labels = [...new Set(named.map(documentLabel))];
  return { labels: labels.length === 0 ? [kind] : labels, path };
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
