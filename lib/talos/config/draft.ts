import { contentKey, type Failure, type Span, throwIfAny } from '../../base/index.ts';
import type { TalosMinor } from '../../upstream/tables.ts';
import { decodeDocument } from './decode.ts';
import { type ConfigDocument, documentId } from './document.ts';
import { mergeDocument } from './merge.ts';
import { plainSource, replaced, valueAt } from './plain-source.ts';
import type { ConfigMap, ConfigValue } from './value.ts';

/** Values of a talconfig as the document without a kind holds them, by what they were made of: many nodes say the same. */
export class DecodedValues {
  readonly #ofObjects = new WeakMap<object, Map<string, ConfigValue | undefined>>();
  readonly #ofScalars = new Map<ConfigValue, Map<string, ConfigValue | undefined>>();
  readonly #ofContents = new Map<string, Map<string, ConfigValue | undefined>>();
  readonly #results = new WeakMap<ConfigMap, Map<string, Map<ConfigValue | undefined, ConfigMap>>>();
  readonly #paths = new Map<string, readonly string[]>();
  readonly #contract: TalosMinor;

  constructor(contract: TalosMinor) {
    this.#contract = contract;
  }

  path(dotted: string): readonly string[] {
    let path = this.#paths.get(dotted);
    if (!path) this.#paths.set(dotted, (path = dotted.split('.')));
    return path;
  }

  at(dotted: string, value: ConfigValue, declaredAt: Span, failures: Failure[]): ConfigValue | undefined {
    const known = this.#known(value);
    if (known.has(dotted)) return known.get(dotted);
    const path = this.path(dotted);
    const before = failures.length;
    const nested = path.reduceRight<ConfigValue>((inner, part) => ({ [part]: inner }), value);
    const decoded = valueAt(decodeDocument(plainSource(nested, declaredAt), this.#contract, failures)?.value ?? {}, path);
    if (failures.length === before) known.set(dotted, decoded);
    return decoded;
  }

  #known(value: ConfigValue): Map<string, ConfigValue | undefined> {
    if (typeof value !== 'object' || value === null) return kept(this.#ofScalars, value);
    let known = this.#ofObjects.get(value);
    // Two nodes that say the same say it in two places of the file.
    if (!known) this.#ofObjects.set(value, (known = kept(this.#ofContents, contentKey(value))));
    return known;
  }

  /**
   * The document with that value there, or without one. Putting the same into the same gives the same object, so that what is made of
   * documents is made once of those that many nodes have in common.
   */
  put(root: ConfigMap, dotted: string, value: ConfigValue | undefined): ConfigMap {
    const results = this.#results.get(root);
    const ofPath = results && kept(results, dotted);
    let result = ofPath?.get(value);
    if (!result) {
      result = replaced(root, this.path(dotted), value);
      if (ofPath && ofPath.size < mostResults) {
        ofPath.set(value, result);
        this.share(result);
      }
    }
    return result;
  }

  /** The document is one that many nodes begin with. */
  share(root: ConfigMap): void {
    if (!this.#results.has(root)) this.#results.set(root, new Map());
  }
}

/** More values than these in one place are names of nodes and the like, which no two have in common. */
const mostResults = 64;

function kept<K, V, R>(all: Map<K, Map<V, R>>, key: K): Map<V, R> {
  let one = all.get(key);
  if (!one) all.set(key, (one = new Map()));
  return one;
}

/** Documents that one node's settings are put into. The given documents stay as they are. */
export class Draft {
  readonly #documents: ConfigDocument[];
  readonly #root: ConfigDocument | undefined;
  readonly #contract: TalosMinor;
  readonly #declaredAt: Span;
  readonly #decoded: DecodedValues;
  readonly failures: Failure[] = [];

  constructor(documents: readonly ConfigDocument[], contract: TalosMinor, declaredAt: Span, decoded: DecodedValues) {
    this.#documents = documents.map((document) => ({ ...document }));
    this.#root = this.find('v1alpha1');
    this.#contract = contract;
    this.#declaredAt = declaredAt;
    this.#decoded = decoded;
  }

  /** Failure: all of what was set. */
  finished(): readonly ConfigDocument[] {
    throwIfAny(this.failures);
    return this.#documents;
  }

  find(kind: string): ConfigDocument | undefined {
    return this.#documents.find((document) => document.kind === kind);
  }

  /** Takes the place of what stood there in the document without a kind; undefined says nothing. */
  set(path: string, value: ConfigValue | undefined): void {
    if (value === undefined || !this.#root) return;
    const decoded = this.#decoded.at(path, value, this.#declaredAt, this.failures);
    this.#root.value = this.#decoded.put(this.#root.value, path, decoded);
  }

  append(path: string, values: readonly ConfigValue[]): void {
    if (values.length === 0) return;
    const standing = this.#root && valueAt(this.#root.value, this.#decoded.path(path));
    this.set(path, [...(Array.isArray(standing) ? standing : []), ...values]);
  }

  /** Into the document of that kind and name, or as a new one behind the others. */
  merge(value: ConfigMap): void {
    const document = this.#decode(value);
    if (!document) return;
    const id = documentId(document);
    const standing = this.#documents.find(({ kind, name }) => kind === document.kind && name === document.name);
    if (standing && documentId(standing) === id) mergeDocument(standing, document);
    else this.#documents.push(document);
  }

  insertBefore(kind: string, value: ConfigMap): void {
    const document = this.#decode(value);
    const before = this.#documents.findIndex((one) => one.kind === kind);
    if (document) this.#documents.splice(before === -1 ? this.#documents.length : before, 0, document);
  }

  remove(kind: string): void {
    const index = this.#documents.findIndex((document) => document.kind === kind);
    if (index !== -1) this.#documents.splice(index, 1);
  }

  #decode(value: ConfigMap): ConfigDocument | undefined {
    const source = plainSource({ apiVersion: 'v1alpha1', ...value }, this.#declaredAt);
    return decodeDocument(source, this.#contract, this.failures, { keepUnknownKinds: false });
  }
}
