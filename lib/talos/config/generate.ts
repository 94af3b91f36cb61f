import { type Failure, type FailureContext, hidden, type Place, placeOf, type SourceFile, throwIfAny, TkError } from '../../base/index.ts';
import { goFormattedDocuments, parseYaml } from '../../format/index.ts';
import { isSwitchedOn } from '../../upstream/tables.ts';
import { generateBase, type MachineRole } from './base.ts';
import { type ConfigDocument, documentId } from './document.ts';
import { DecodedValues } from './draft.ts';
import { renderMachineConfig, type SharedTexts } from './encode.ts';
import type { GeneratedMachineConfig, GenerateOptions, GeneratorInput, GeneratorNode, GeneratorPatch, Layer } from './generate-request.ts';
import { renderGoTemplate } from './go-template.ts';
import { renderGoYaml } from './go-yaml.ts';
import type { KeptValue, SharedMerges } from './merge.ts';
import { withClusterSettings, withNodeSettings } from './node-settings.ts';
import { applyPatch, loadPatch, type Patch } from './patch.ts';
import { isTemplate, replaced, valueAt } from './plain-source.ts';
import type { SecretsBundle } from './secrets-bundle.ts';
import { templateData } from './template-data.ts';
import { type SharedVerdicts, validateDocuments } from './validate.ts';
import { isConfigMap } from './value.ts';

/**
 * Machine configurations as talhelper makes them for contracts up to 1.13, and their true counterparts for 1.14. Same input, same bytes.
 *
 * Order: generated, what the talconfig says about the node, group patches, node patches, cluster patches, extra manifests.
 *
 * Failure: everything that is wrong with any node, at once.
 * Source: talhelper v3.1.17 pkg/generate/config.go
 */
export async function generateMachineConfigs(
  request: { readonly cluster: GeneratorInput; readonly bundle: SecretsBundle },
  options: GenerateOptions = {},
): Promise<readonly GeneratedMachineConfig[]> {
  const generator = new Generator(request.cluster, request.bundle, options);
  const failures: Failure[] = [];
  const seen = new Set<string>();
  const configs: GeneratedMachineConfig[] = [];
  for (const node of request.cluster.nodes) {
    try {
      configs.push(await generator.generate(node));
    } catch (error) {
      if (!(error instanceof TkError)) throw error;
      // A patch of the cluster is wrong for every node in the same way.
      for (const told of error.failures) {
        const failure = withoutSecrets(told, request.cluster.redact ?? ((sentence) => sentence));
        const identity = JSON.stringify([failure.code, failure.facts, failure.where]);
        if (!seen.has(identity)) failures.push(failure);
        seen.add(identity);
      }
    }
  }
  throwIfAny(failures);
  return configs;
}

/** Facts that quote what was found. */
const quoting = ['rule', 'found', 'apiVersion', 'kind'] as const;

function withoutSecrets(failure: Failure, redact: (sentence: string) => string): Failure {
  const quoted = quoting.flatMap((name) => (typeof failure.facts[name] === 'string' ? [[name, redact(failure.facts[name])]] : []));
  return quoted.length === 0 ? failure : { ...failure, facts: { ...failure.facts, ...Object.fromEntries(quoted) } };
}

class Generator {
  readonly #cluster: GeneratorInput;
  readonly #bundle: SecretsBundle;
  readonly #options: GenerateOptions;
  readonly #bases = new Map<string, readonly ConfigDocument[]>();
  readonly #configuredBases = new Map<MachineRole, readonly ConfigDocument[]>();
  readonly #patches = new Map<SourceFile, Patch>();
  readonly #extra = new Map<SourceFile, readonly ConfigDocument[]>();
  readonly #decoded: DecodedValues;
  readonly #merged: SharedMerges = new WeakMap();
  readonly #verdicts: SharedVerdicts = new WeakMap();
  readonly #texts: SharedTexts = new WeakMap();

  constructor(cluster: GeneratorInput, bundle: SecretsBundle, options: GenerateOptions) {
    this.#cluster = cluster;
    this.#bundle = bundle;
    this.#options = options;
    this.#decoded = new DecodedValues(cluster.contract);
  }

  async generate(node: GeneratorNode): Promise<GeneratedMachineConfig> {
    const layers: Layer[] = [];
    const kept: KeptValue[] = [];
    const keep = (layer: Layer) => {
      if (this.#options.withLayers) layers.push(layer);
    };
    let documents = this.#base(node.role);
    keep({ origin: 'generated', kind: 'generated', documents });
    const configured = withNodeSettings(this.#configuredBase(node, documents), this.#cluster, node, this.#decoded);
    documents = configured.documents;
    documents = await this.#templatedLabels(documents, node);
    keep({ origin: node.name, kind: 'node', file: node.declaredAt.file, documents });
    const refused: Failure[] = [];
    const locate = (document: ConfigDocument, path: readonly string[]) => this.#locate(node, document, path);
    for (const list of [node.patches, this.#cluster.patches]) {
      // Templates of one list see what stood there before the list.
      const before = documents;
      for (const one of list) {
        try {
          const patched = applyPatch(documents, await this.#patch(one, before), this.#cluster.contract, this.#merged);
          documents = patched.documents;
          kept.push(...patched.kept);
        } catch (error) {
          if (!(error instanceof TkError)) throw error;
          refused.push(...error.failures);
        }
        keep({ origin: one.file.path, kind: `${one.from} patch`, file: one.file, documents });
      }
    }
    // What has moved is told with the patches that cannot be applied; other rules may only be broken because of them.
    if (refused.length > 0) {
      const checked = validateDocuments(documents, this.#cluster.contract, locate, this.#verdicts);
      throwIfAny([...refused, ...checked.failures.filter(({ code }) => code === 'talos-config/conflict')]);
    }
    for (const manifest of node.extraManifests) {
      documents = [...documents, ...(await this.#extraDocuments(manifest, documents))];
      keep({ origin: manifest.file.path, kind: 'extra manifest', file: manifest.file, documents });
    }
    const checked = validateDocuments(documents, this.#cluster.contract, locate, this.#verdicts);
    if (!this.#options.unchecked) throwIfAny(checked.failures);
    return {
      name: node.name,
      fileName: node.fileName,
      text: renderMachineConfig(documents, { indent: 2, oldWords: 'single' }, this.#texts),
      documents,
      layers,
      kept,
      lost: configured.lost,
      warnings: checked.warnings,
    };
  }

  /** The patch that said it last, or the node. */
  #locate(node: GeneratorNode, document: ConfigDocument, path: readonly string[]): FailureContext {
    const patches = [...node.patches, ...this.#cluster.patches].reverse();
    // A rule may name a field that nobody wrote: then the section around it.
    for (let length = path.length; length > 0 || (length === 0 && path.length === 0); length -= 1) {
      const part = path.slice(0, length);
      for (const { file, isTemplate } of patches) {
        const patch = this.#patches.get(file);
        if (isTemplate || patch?.kind !== 'strategic') continue;
        const says = patch.steps.some(
          (step) =>
            step.does === 'merge' && documentId(step.document) === documentId(document) && valueAt(step.document.value, part) !== undefined,
        );
        if (says) return { where: placeInPatch(file, document, part) };
      }
    }
    return { where: placeOf(node.declaredAt) };
  }

  #base(role: MachineRole): readonly ConfigDocument[] {
    let documents = this.#bases.get(role);
    if (!documents) {
      const { cni: _, inlineManifests: __, patches: ___, nodes: ____, ...input } = this.#cluster;
      documents = generateBase({ ...input, bundle: this.#bundle, installImage: '' }, role);
      this.#bases.set(role, documents);
    }
    return documents;
  }

  #configuredBase({ role, declaredAt }: GeneratorNode, base: readonly ConfigDocument[]): readonly ConfigDocument[] {
    let documents = this.#configuredBases.get(role);
    if (!documents) {
      documents = withClusterSettings(base, this.#cluster, declaredAt, this.#decoded);
      for (const { kind, value } of documents) if (kind === 'v1alpha1') this.#decoded.share(value);
      this.#configuredBases.set(role, documents);
    }
    return documents;
  }

  async #patch(one: GeneratorPatch, before: readonly ConfigDocument[]): Promise<Patch> {
    if (one.isTemplate) return loadPatch(await this.#rendered(one, before), this.#cluster.contract);
    let patch = this.#patches.get(one.file);
    if (!patch) {
      patch = loadPatch(one.file, this.#cluster.contract);
      this.#patches.set(one.file, patch);
    }
    return patch;
  }

  async #extraDocuments(one: GeneratorPatch, before: readonly ConfigDocument[]): Promise<readonly ConfigDocument[]> {
    const known = one.isTemplate ? undefined : this.#extra.get(one.file);
    if (known) return known;
    const file = one.isTemplate ? await this.#rendered(one, before) : one.file;
    const documents = asWritten(loadPatch(file, this.#cluster.contract), file);
    if (!one.isTemplate) this.#extra.set(file, documents);
    return documents;
  }

  async #rendered(one: GeneratorPatch, before: readonly ConfigDocument[]): Promise<SourceFile> {
    return { ...hidden(one.file), text: one.finish(await this.#render(one.file.text, before, one.file)) };
  }

  async #render(text: string, documents: readonly ConfigDocument[], file: SourceFile): Promise<string> {
    return renderGoTemplate(text, templateData(documents), file, this.#options);
  }

  async #templatedLabels(documents: readonly ConfigDocument[], node: GeneratorNode): Promise<readonly ConfigDocument[]> {
    const templated = [
      ['labels', node.labels],
      ['annotations', node.annotations],
    ] as const;
    if (!templated.some(([, values]) => values && Object.values(values).some(isTemplate))) return documents;
    const result = documents.map((document) => ({ ...document }));
    for (const [what, values] of templated) {
      for (const [key, value] of Object.entries(values ?? {})) {
        if (!isTemplate(value)) continue;
        const rendered = (await this.#render(String(value), documents, node.declaredAt.file)).trim();
        const holder = result.find(
          ({ kind }) => kind === (isSwitchedOn('kubernetesDocuments', this.#cluster.contract) ? 'KubeNodeConfig' : 'v1alpha1'),
        );
        if (!holder) continue;
        const path = holder.kind === 'v1alpha1' ? ['machine', what === 'labels' ? 'nodeLabels' : 'nodeAnnotations', key] : [what, key];
        holder.value = replaced(holder.value, path, rendered);
      }
    }
    return result;
  }
}

/** The key of a field in the file of a patch; the patch itself where it does not say it. */
export function placeInPatch(file: SourceFile, document: ConfigDocument, path: readonly string[]): Place {
  const { documents } = parseYaml(file, { version: 'go' });
  const wanted = document.kind === 'v1alpha1' ? undefined : document.kind;
  const source = documents.find((one) => isConfigMap(one.value) && one.value['kind'] === wanted && one.has(path)) ?? documents[0];
  return placeOf(source ? source.spanOf(path, 'key') : { file, start: 0, end: 1 });
}

/** Extra documents are appended as they are: written anew by Go's library, with their comments and quotes. */
function asWritten(patch: Patch, file: SourceFile): ConfigDocument[] {
  const added = (patch.kind === 'strategic' ? patch.steps : []).flatMap((step) => (step.does === 'merge' ? [step.document] : []));
  const texts = goFormattedDocuments(file.text, { comments: 'kept' });
  return added.map((document, index) => {
    const text = texts?.length === added.length ? texts[index] : undefined;
    const { given } = document;
    return given === undefined ? document : { ...document, verbatim: text ?? renderGoYaml(given, { indent: 2 }) };
  });
}
