import { type Failure, placeOf, type SourceFile, type Span, throwIfAny, TkError } from '../../base/index.ts';
import { type DataDocument, parseYaml } from '../../format/index.ts';
import type { TalosMinor } from '../../upstream/tables.ts';
import { clashesOf } from './clashes.ts';
import { decodeDocument, decodeMachineConfig, type DecodeOptions } from './decode.ts';
import { type ConfigDocument, documentId } from './document.ts';
import { plainDocument, renderMachineConfig, talosctlStyle } from './encode.ts';
import { talosConfigFailure } from './failures.ts';
import { renderGoYaml } from './go-yaml.ts';
import { applyJsonOperations, type JsonOperation, jsonOperationsOf, strategicFormOf } from './json-patch.ts';
import { type KeptValue, mergeDocument, type SharedMerges } from './merge.ts';
import { applyDeletion, type Deletion, takeDeletions } from './patch-delete.ts';
import { readDocuments } from './read-documents.ts';
import { cloneValue, type ConfigMap, type ConfigValue, isConfigMap } from './value.ts';

type Step = { readonly does: 'merge'; readonly document: ConfigDocument } | { readonly does: 'delete'; readonly deletion: Deletion };

/** A patch that was read once and can be applied to many configurations. */
export type Patch =
  | { readonly kind: 'strategic'; readonly file: SourceFile; readonly steps: readonly Step[] }
  | { readonly kind: 'json'; readonly file: SourceFile; readonly operations: readonly JsonOperation[] };

/**
 * Reads a patch: strategic merge documents, or a JSON patch as JSON or as a YAML list. A patch without content has no steps.
 *
 * Failure: all problems of the patch, with their places.
 * Source: pkg/machinery/config/configpatcher/load.go
 */
export function loadPatch(file: SourceFile, minor: TalosMinor, options: DecodeOptions = { confidential: false }): Patch {
  return readDocuments(file, options.confidential ?? true, (documents, syntax) => {
    throwIfAny(syntax);
    const operations = documents.length === 1 ? jsonOperationsOf(documents[0]?.value, file.text) : undefined;
    if (operations) return { kind: 'json', file, operations };
    const failures: Failure[] = [];
    const steps: Step[] = [];
    for (const source of documents) {
      if (source.value === null) continue;
      const { deletions, rest, origins } = takeDeletions(source);
      for (const deletion of deletions) steps.push({ does: 'delete', deletion });
      if (rest === undefined) continue;
      const document = decodeDocument(rest === source.value ? source : withValue(source, rest), minor, failures, { ...options, origins });
      if (document) steps.push({ does: 'merge', document });
    }
    throwIfAny([...failures, ...clashesOf(steps.flatMap((step) => (step.does === 'merge' ? [step.document] : [])))]);
    if (steps.length === 0 && documents.some(({ value }) => value !== null)) {
      throw new TkError(talosConfigFailure('talos-config/no-config', { path: file.path }));
    }
    return { kind: 'strategic', file, steps };
  });
}

/** Another value at the same places. */
function withValue(source: DataDocument, value: unknown): DataDocument {
  return {
    file: source.file,
    get source() {
      return source.source;
    },
    value,
    has: (path) => source.has(path),
    spanOf: (path, part) => source.spanOf(path, part),
    scalarAt: (path) => source.scalarAt(path),
  };
}

export interface Patched {
  readonly documents: readonly ConfigDocument[];
  /** Values that upstream's merge would have lost. */
  readonly kept: readonly KeptValue[];
}

/**
 * Applies one patch; the given documents stay as they are.
 *
 * Failure: see `mergeDocument` and `applyDeletion`; `talos-config/json-patch-refused` with the strategic form for several documents.
 * Source: pkg/machinery/config/configpatcher/strategic.go
 */
export function applyPatch(documents: readonly ConfigDocument[], patch: Patch, minor: TalosMinor, shared?: SharedMerges): Patched {
  return patch.kind === 'json' ? applyJsonPatch(documents, patch, minor) : applyStrategic(documents, patch.steps, minor, shared);
}

function applyStrategic(
  documents: readonly ConfigDocument[],
  steps: readonly Step[],
  minor: TalosMinor,
  shared: SharedMerges | undefined,
): Patched {
  const result = documents.map((document) => ({ ...document }));
  const owned = new Set<ConfigDocument>();
  const kept: KeptValue[] = [];
  const find = (wanted: Pick<ConfigDocument, 'kind' | 'apiVersion' | 'name'>) =>
    result.findIndex((document) => documentId(document) === documentId(wanted));
  for (const step of steps) {
    const index = find(step.does === 'merge' ? step.document : step.deletion);
    const left = result[index];
    if (step.does === 'merge') {
      if (left) kept.push(...mergeDocument(left, step.document, shared));
      else result.push({ ...step.document, value: cloneValue(step.document.value) });
      continue;
    }
    // A document that is not there needs no deletion.
    if (!left) continue;
    if (step.deletion.path.length === 0) {
      result.splice(index, 1);
      continue;
    }
    if (!owned.has(left)) {
      left.value = cloneValue(left.value);
      owned.add(left);
    }
    applyDeletion(left, step.deletion, minor);
  }
  throwIfAny(clashesOf(result));
  return { documents: result, kept };
}

function applyJsonPatch(documents: readonly ConfigDocument[], patch: Patch & { readonly kind: 'json' }, minor: TalosMinor): Patched {
  const [only] = documents;
  if (documents.length !== 1 || !only) {
    const legacy = documents.find(({ kind }) => kind === 'v1alpha1');
    const { patch: form, remainder } = strategicFormOf(quotableOperations(patch), (legacy ? plainDocument(legacy) : {}) as ConfigMap);
    throw new TkError(
      talosConfigFailure(
        'talos-config/json-patch-refused',
        {
          documents: documents.length,
          ...(form === undefined ? {} : { equivalent: renderGoYaml(form, { indent: 2 }) }),
          remainder,
        },
        { where: placeOf(firstLineOf(patch.file)) },
      ),
    );
  }
  const plain = structuredClone(only.given ?? plainDocument(only)) as ConfigMap;
  applyJsonOperations(plain, patch.operations);
  const text = renderGoYaml(sorted(plain), { indent: 2 });
  const decoded = decodeMachineConfig({ path: patch.file.path, text }, minor);
  throwIfAny(decoded.failures);
  // Upstream leaves the result as the JSON patch made it: fields that are not there are not filled in.
  return { documents: decoded.documents.map((document) => ({ ...document, verbatim: text })), kept: [] };
}

/** As people wrote them, so that what is printed holds the name of a variable instead of its value; none of a file that is secret. */
function quotableOperations({ file, operations }: Patch & { readonly kind: 'json' }): readonly JsonOperation[] {
  if (file.shown === undefined) return operations;
  if (file.written === undefined) return [];
  const { documents } = parseYaml({ path: file.path, text: file.written }, { version: 'go' });
  return jsonOperationsOf(documents[0]?.value, file.written) ?? [];
}

/** Without the blank lines in front that an inline patch has. */
function firstLineOf(file: SourceFile): Span {
  const start = Math.max(0, file.text.search(/\S/));
  const end = file.text.indexOf('\n', start);
  return { file, start, end: end === -1 ? file.text.length : end };
}

function sorted(value: ConfigValue): ConfigValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isConfigMap(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key] ?? null)]),
  );
}

export interface PatchRequest {
  readonly base: SourceFile;
  readonly patches: readonly SourceFile[];
  /** Whose tables and rules are used. */
  readonly talosVersion: TalosMinor;
}

/** `tk machineconfig patch`: reads a configuration, applies patches in order and writes it again. */
export function patchMachineConfig(request: PatchRequest): {
  readonly text: string;
  readonly documents: readonly ConfigDocument[];
  readonly kept: readonly KeptValue[];
} {
  const base = decodeMachineConfig(request.base, request.talosVersion);
  throwIfAny([...base.failures, ...clashesOf(base.documents)]);
  if (base.documents.length === 0) throw new TkError(talosConfigFailure('talos-config/no-config', { path: request.base.path }));
  let documents = base.documents;
  const kept: KeptValue[] = [];
  for (const file of request.patches) {
    const patched = applyPatch(documents, loadPatch(file, request.talosVersion), request.talosVersion);
    documents = patched.documents;
    kept.push(...patched.kept);
  }
  return { text: renderMachineConfig(documents, talosctlStyle(request.talosVersion)), documents, kept };
}
