import { type Failure, type FailureContext, placeOf, type SourceFile } from '../../base/index.ts';
import type { DataDocument } from '../../format/index.ts';
import {
  appliesWithoutReboot,
  compatibility,
  deprecatedFields,
  type DocumentConflict,
  documentConflicts,
  type TalosMinor,
} from '../../upstream/tables.ts';
import { clashesOf } from './clashes.ts';
import { decodeDocument } from './decode.ts';
import { type ConfigDocument, documentId, documentLabel } from './document.ts';
import { plainDocument } from './encode.ts';
import { talosConfigFailure } from './failures.ts';
import { contractOf, isAtLeastMinor } from './minor.ts';
import { readDocuments } from './read-documents.ts';
import { documentRules } from './rules/documents.ts';
import { legacyRule } from './rules/legacy.ts';
import type { RuleContext } from './rules/rule.ts';
import { wholeErrors } from './rules/whole.ts';
import { type ConfigMap, type ConfigValue, isConfigMap } from './value.ts';

export interface ValidationOptions {
  /** `v1.14.1` or `1.14`. */
  readonly talosVersion: string;
  /** Kinds that no version knows are let through; default true. A node refuses them. */
  readonly keepUnknownKinds?: boolean;
}

export interface Validation {
  readonly documents: readonly ConfigDocument[];
  readonly failures: readonly Failure[];
  readonly warnings: readonly Failure[];
}

/**
 * Checks a machine configuration as that version of Talos would, and says where.
 *
 * Failure: none thrown; everything that is wrong is in `failures`.
 * Source: pkg/machinery/config/container/validate.go
 */
export function validateMachineConfig(file: SourceFile, options: ValidationOptions): Validation {
  const minor = contractOf(options.talosVersion);
  return readDocuments(file, true, (sources, syntax) => {
    const failures: Failure[] = [...syntax];
    const places = new Map<ConfigDocument, DataDocument>();
    for (const source of syntax.length > 0 ? [] : sources) {
      if (source.value === null) continue;
      const document = decodeDocument(source, minor, failures, { keepUnknownKinds: options.keepUnknownKinds ?? true });
      if (document) places.set(document, source);
    }
    if (places.size === 0 && failures.length === 0) failures.push(talosConfigFailure('talos-config/no-config', { path: file.path }));
    const documents = [...places.keys()];
    const checked = validateDocuments(documents, options.talosVersion, (document, path) => {
      const source = places.get(document);
      const place = source && placeOf(source.spanOf(path, 'key'));
      if (place?.kind !== 'file') return {};
      const { excerpt: _, ...rest } = place;
      return { where: rest };
    });
    return { documents, failures: [...failures, ...checked.failures], warnings: checked.warnings };
  });
}

type Locate = (document: ConfigDocument, path: readonly string[]) => FailureContext;

/** What the rules say of a document, by its value. */
export type SharedVerdicts = WeakMap<ConfigMap, Verdict>;

interface Verdict extends RuleContext {
  readonly kind: string;
  readonly schema: ConfigDocument['schema'];
  /** Of the node, in its order. */
  readonly sentences: readonly string[];
  /** Of the document without a kind: old fields that are set. */
  readonly deprecated: readonly (typeof deprecatedFields)[number][];
}

/**
 * The same for documents that were never text. `locate` says where a part of one was written; `shared` keeps what does not depend on
 * the other documents for the next configuration that has the same ones.
 */
export function validateDocuments(
  documents: readonly ConfigDocument[],
  talosVersion: string,
  locate: Locate = () => ({}),
  shared: SharedVerdicts = new WeakMap(),
): { readonly failures: readonly Failure[]; readonly warnings: readonly Failure[] } {
  const minor = contractOf(talosVersion);
  const failures: Failure[] = [];
  const warnings: Failure[] = [];
  const seen = new Set<string>();
  for (const document of documents) {
    const id = documentId(document);
    if (seen.has(id))
      failures.push(talosConfigFailure('talos-config/duplicate-document', { document: documentLabel(document) }, locate(document, [])));
    seen.add(id);
  }
  failures.push(...clashesOf(documents, locate));
  const legacy = documents.find(({ kind }) => kind === 'v1alpha1');
  const machine = legacy?.value['machine'];
  const isControlPlane = isConfigMap(machine) && ['controlplane', 'init'].includes(String(machine['type']));
  for (const document of documents) {
    for (const sentence of verdictOn(document, { isControlPlane, minor }, shared).sentences) {
      failures.push(
        talosConfigFailure(
          'talos-config/invalid',
          { document: documentLabel(document), rule: sentence },
          locate(document, fieldIn(document, sentence)),
        ),
      );
    }
  }
  for (const document of legacy ? documents : []) {
    const conflict = legacy && conflictsOf.get(document.kind)?.find((one) => isConflict(one, document, legacy));
    if (!conflict || !legacy) continue;
    failures.push(
      talosConfigFailure(
        'talos-config/conflict',
        { document: documentLabel(document), field: conflict.field },
        locate(legacy, conflict.field.split('.')),
      ),
    );
  }
  for (const sentence of documents.some(({ schema }) => schema) ? wholeErrors(documents, { isControlPlane, minor }) : [])
    failures.push(talosConfigFailure('talos-config/invalid-together', { rule: sentence }));
  for (const { field, replacement } of legacy ? verdictOn(legacy, { isControlPlane, minor }, shared).deprecated : [])
    warnings.push(
      talosConfigFailure('talos-config/deprecated', { field, replacement }, locate(legacy as ConfigDocument, field.split('.'))),
    );
  return { failures: [...failures, ...kubernetesFailures(documents, minor, talosVersion)], warnings };
}

function verdictOn(document: ConfigDocument, context: RuleContext, shared: SharedVerdicts): Pick<Verdict, 'sentences' | 'deprecated'> {
  const { kind, value, schema } = document;
  const isLegacy = kind === 'v1alpha1';
  const rule = isLegacy ? legacyRule : schema && documentRules[kind];
  if (!rule) return nothingWrong;
  const { isControlPlane, minor } = context;
  const known = shared.get(value);
  if (known && known.kind === kind && known.schema === schema && known.isControlPlane === isControlPlane && known.minor === minor)
    return known;
  const isOld = ({ field, since }: (typeof deprecatedFields)[number]) => isAtLeastMinor(minor, since) && isSetAt(value, field.split('.'));
  const sentences = schema ? rule(value, context) : [];
  const verdict = { kind, schema, isControlPlane, minor, sentences, deprecated: isLegacy ? deprecatedFields.filter(isOld) : [] };
  shared.set(value, verdict);
  return verdict;
}

const nothingWrong: Pick<Verdict, 'sentences' | 'deprecated'> = { sentences: [], deprecated: [] };

/** Expressions, which the node names by what they are for. */
const expressionFields: readonly (readonly [sentence: string, path: readonly string[]])[] = [
  ['disk selector is invalid', ['provisioning', 'diskSelector', 'match']],
  ['volume selector is invalid', ['discovery', 'volumeSelector', 'match']],
  ['link selector is invalid', ['selector', 'match']],
  ['OOM trigger expression is invalid', ['triggerExpression']],
  ['OOM cgroup scoring expression is invalid', ['cgroupRankingExpression']],
];

/** The field that a sentence of the node is about, as far as it names one. */
function fieldIn({ kind, value }: ConfigDocument, sentence: string): readonly string[] {
  if (kind !== 'v1alpha1') {
    const expression = expressionFields.find(([start]) => sentence.startsWith(start));
    if (expression) return expression[1];
    const first = /^[a-z]\w*(?:\.\w+)*/.exec(sentence)?.[0].split('.') ?? [];
    return value[first[0] ?? ''] === undefined ? [] : first;
  }
  // It names what is missing; who asked for it is what was written.
  if (sentence.startsWith('cluster discovery service')) return ['cluster', 'discovery'];
  return /\.((?:machine|cluster)(?:\.[A-Za-z]\w*)+)/.exec(sentence)?.[1]?.split('.') ?? [];
}

const conflictsOf: ReadonlyMap<string, readonly DocumentConflict[]> = Map.groupBy(documentConflicts, ({ kind }) => kind);

function isConflict(conflict: DocumentConflict, document: ConfigDocument, legacy: ConfigDocument): boolean {
  return (
    (conflict.names === undefined || conflict.names.includes(document.name)) &&
    (conflict.when === undefined || document.value[conflict.when] !== undefined) &&
    isSetAt(legacy.value, conflict.field.split('.'))
  );
}

/** Whether Go's code would take the field for set: present, and for texts and numbers not zero. */
function isSetAt(root: ConfigMap, path: readonly string[]): boolean {
  let node: ConfigValue | undefined = root;
  for (const part of path) node = isConfigMap(node) ? node[part] : undefined;
  return node !== undefined && node !== null && node !== '' && node !== false && node !== 0 && !(Array.isArray(node) && node.length === 0);
}

function kubernetesFailures(documents: readonly ConfigDocument[], minor: TalosMinor, talosVersion: string): Failure[] {
  const [lowest, highest] = compatibility[minor].kubernetes;
  const images = documents.flatMap(({ kind, value }) => {
    const machine = isConfigMap(value['machine']) ? value['machine'] : {};
    const kubelet = isConfigMap(machine['kubelet']) ? machine['kubelet'] : {};
    return kind === 'v1alpha1' ? [kubelet['image']] : kind === 'KubeletConfig' ? [value['image']] : [];
  });
  return images.flatMap((image) => {
    const version = /:v?(\d+)\.(\d+)\.(\d+)[^/]*$/.exec(typeof image === 'string' ? image : '');
    if (!version) return [];
    const kubernetes = Number(version[2]);
    const isSupported = kubernetes >= Number(lowest.split('.')[1]) && kubernetes <= Number(highest.split('.')[1]);
    return isSupported
      ? []
      : [
          talosConfigFailure('talos-config/unsupported-kubernetes', {
            talosVersion,
            kubernetesVersion: `${version[1]}.${version[2]}.${version[3]}`,
            lowest,
            highest,
          }),
        ];
  });
}

export type ConfigChange = {
  /** `v1alpha1`, `HostnameConfig`, `UserVolumeConfig data`. */
  readonly document: string;
  /** Of the document without a kind: `machine.kubelet`; empty for a document as a whole. */
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly needsReboot: boolean;
};

export interface ConfigChangePlan {
  readonly changes: readonly ConfigChange[];
  /** Whether a running node takes all of it over without a reboot. */
  readonly appliesWithoutReboot: boolean;
}

/**
 * What differs between two configurations, and whether a node of that version can take it over while it runs.
 *
 * Shape: order of documents and of keys does not matter; the result is sorted by document, then path.
 * Source: internal/app/machined/pkg/runtime CanApplyImmediate, 1.12 and 1.13; from 1.14 on nothing reboots
 */
export function planConfigChange(
  before: readonly ConfigDocument[],
  after: readonly ConfigDocument[],
  talosVersion: string,
): ConfigChangePlan {
  const never = isAtLeastMinor(contractOf(talosVersion), '1.14');
  const changes: ConfigChange[] = [];
  const old = new Map(before.map((document) => [documentId(document), document]));
  for (const document of after) {
    const standing = old.get(documentId(document));
    old.delete(documentId(document));
    if (!standing) changes.push({ document: documentLabel(document), path: '', change: 'added', needsReboot: false });
    else if (document.kind !== 'v1alpha1') {
      if (!sameContent(standing, document))
        changes.push({ document: documentLabel(document), path: '', change: 'changed', needsReboot: false });
    } else changes.push(...legacyChanges(standing, document, never));
  }
  for (const document of old.values()) changes.push({ document: documentLabel(document), path: '', change: 'removed', needsReboot: false });
  changes.sort((a, b) => (`${a.document} ${a.path}` < `${b.document} ${b.path}` ? -1 : 1));
  return { changes, appliesWithoutReboot: changes.every(({ needsReboot }) => !needsReboot) };
}

function sameContent(a: ConfigDocument, b: ConfigDocument): boolean {
  return canonical(plainDocument(a)) === canonical(plainDocument(b));
}

/** JSON with sorted keys: the order in which things were written says nothing. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, child: unknown) => {
    if (typeof child === 'bigint') return String(child);
    if (typeof child !== 'object' || child === null || Array.isArray(child)) return child;
    return Object.fromEntries(Object.entries(child).sort(([x], [y]) => (x < y ? -1 : 1)));
  });
}

function legacyChanges(before: ConfigDocument, after: ConfigDocument, neverReboots: boolean): ConfigChange[] {
  const changes: ConfigChange[] = [];
  const compare = (left: unknown, right: unknown, path: string, deeper: (path: string) => boolean) => {
    if (canonical(left) === canonical(right)) return;
    if (deeper(path) && (isConfigMap(left) || isConfigMap(right))) {
      const keys = new Set([...Object.keys(isConfigMap(left) ? left : {}), ...Object.keys(isConfigMap(right) ? right : {})]);
      for (const key of keys)
        compare(
          isConfigMap(left) ? left[key] : undefined,
          isConfigMap(right) ? right[key] : undefined,
          path === '' ? key : `${path}.${key}`,
          deeper,
        );
      return;
    }
    const needsReboot = !neverReboots && !appliesWithoutReboot.some((prefix) => path === prefix || path.startsWith(`${prefix}.`));
    changes.push({
      document: 'v1alpha1',
      path,
      change: left === undefined ? 'added' : right === undefined ? 'removed' : 'changed',
      needsReboot,
    });
  };
  compare(plainDocument(before), plainDocument(after), '', (path) => ['', 'machine', 'cluster', 'machine.features'].includes(path));
  return changes;
}
