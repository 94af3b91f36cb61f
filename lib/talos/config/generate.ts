import {
  type Failure,
  type FailureContext,
  hidden,
  type Place,
  placeOf,
  type SourceFile,
  type Span,
  throwIfAny,
  TkError,
} from '../../base/index.ts';
import { type DataDocument, parseYaml } from '../../format/index.ts';
import { isSwitchedOn, talosDefaults, type TalosMinor } from '../../upstream/tables.ts';
import { generateBase, type MachineRole } from './base.ts';
import { decodeDocument } from './decode.ts';
import { deviceRules } from './device-rules.ts';
import { diskExpression } from './disk-expression.ts';
import { type ConfigDocument, documentId } from './document.ts';
import { renderMachineConfig } from './encode.ts';
import { talosConfigFailure } from './failures.ts';
import type { GeneratedMachineConfig, GenerateOptions, GeneratorInput, GeneratorNode, GeneratorPatch, Layer } from './generate-request.ts';
import { renderGoTemplate } from './go-template.ts';
import { renderGoYaml } from './go-yaml.ts';
import { type KeptValue, mergeDocument } from './merge.ts';
import { type LostSetting, networkDocuments } from './network-documents.ts';
import { applyPatch, loadPatch, type Patch } from './patch.ts';
import type { SecretsBundle } from './secrets-bundle.ts';
import { templateData } from './template-data.ts';
import { validateDocuments } from './validate.ts';
import { type ConfigMap, type ConfigValue, isConfigMap } from './value.ts';

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
  readonly #patches = new Map<SourceFile, Patch>();

  constructor(cluster: GeneratorInput, bundle: SecretsBundle, options: GenerateOptions) {
    this.#cluster = cluster;
    this.#bundle = bundle;
    this.#options = options;
  }

  async generate(node: GeneratorNode): Promise<GeneratedMachineConfig> {
    const layers: Layer[] = [];
    const kept: KeptValue[] = [];
    const keep = (layer: Layer) => {
      if (this.#options.withLayers) layers.push(layer);
    };
    let documents = this.#base(node.role);
    keep({ origin: 'generated', kind: 'generated', documents });
    const configured = this.#configured(documents, node);
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
          const patched = applyPatch(documents, await this.#patch(one, before), this.#cluster.contract);
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
      const checked = validateDocuments(documents, this.#cluster.contract, locate);
      throwIfAny([...refused, ...checked.failures.filter(({ code }) => code === 'talos-config/conflict')]);
    }
    for (const manifest of node.extraManifests) {
      const patch = await this.#patch(manifest, documents);
      documents = [
        ...documents,
        ...(patch.kind === 'strategic' ? patch.steps.flatMap((step) => (step.does === 'merge' ? [asWritten(step.document)] : [])) : []),
      ];
      keep({ origin: manifest.file.path, kind: 'extra manifest', file: manifest.file, documents });
    }
    const checked = validateDocuments(documents, this.#cluster.contract, locate);
    if (!this.#options.unchecked) throwIfAny(checked.failures);
    return {
      name: node.name,
      fileName: node.fileName,
      text: renderMachineConfig(documents, { indent: 2, oldWords: 'single' }),
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

  async #patch(one: GeneratorPatch, before: readonly ConfigDocument[]): Promise<Patch> {
    if (!one.isTemplate) {
      let patch = this.#patches.get(one.file);
      if (!patch) {
        patch = loadPatch(one.file, this.#cluster.contract);
        this.#patches.set(one.file, patch);
      }
      return patch;
    }
    const text = one.finish(await this.#render(one.file.text, before, one.file));
    return loadPatch({ ...hidden(one.file), text }, this.#cluster.contract);
  }

  async #render(text: string, documents: readonly ConfigDocument[], file: SourceFile): Promise<string> {
    return renderGoTemplate(text, templateData(documents), file, this.#options);
  }

  /** What the talconfig says about the node, in the form of its contract. */
  #configured(
    documents: readonly ConfigDocument[],
    node: GeneratorNode,
  ): { documents: readonly ConfigDocument[]; lost: readonly LostSetting[] } {
    const result = documents.map((document) => ({ ...document }));
    const isOn = (name: Parameters<typeof isSwitchedOn>[0]) => isSwitchedOn(name, this.#cluster.contract);
    const root = result.find(({ kind }) => kind === 'v1alpha1');
    const failures: Failure[] = [];
    /** Takes the place of what stood there. */
    const set = (path: string, value: ConfigValue | undefined) => {
      if (value === undefined || !root) return;
      const nested = path.split('.').reduceRight<ConfigValue>((inner, part) => ({ [part]: inner }), value);
      const decoded = decodeDocument(plainSource(nested, node.declaredAt), this.#cluster.contract, failures);
      root.value = replaced(root.value, path.split('.'), valueAt(decoded?.value ?? {}, path.split('.')));
    };
    const append = (path: string, values: readonly ConfigValue[]) => {
      const standing = root && valueAt(root.value, path.split('.'));
      if (values.length > 0) set(path, [...(Array.isArray(standing) ? standing : []), ...values]);
    };
    const merge = (value: ConfigMap) => {
      const document = decodeDocument(
        plainSource({ apiVersion: 'v1alpha1', ...value }, node.declaredAt),
        this.#cluster.contract,
        failures,
        {
          keepUnknownKinds: false,
        },
      );
      if (!document) return;
      const standing = result.find((one) => documentId(one) === documentId(document));
      if (standing) mergeDocument(standing, document);
      else result.push(document);
    };
    const remove = (kind: string) => {
      const index = result.findIndex((document) => document.kind === kind);
      if (index !== -1) result.splice(index, 1);
    };

    const isMultiNetwork = isOn('networkDocuments');
    const isMultiKubernetes = isOn('kubernetesDocuments');
    if (!isMultiNetwork) {
      if (!node.ignoreHostname) set('machine.network.hostname', node.name);
      if (node.nameservers.length > 0) set('machine.network.nameservers', [...node.nameservers]);
      if (node.disableSearchDomain) set('machine.network.disableSearchDomain', true);
      if (node.networkInterfaces && node.networkInterfaces.length > 0) set('machine.network.interfaces', [...node.networkInterfaces]);
    }
    if (isOn('unattendedInstallDocument')) {
      const match = node.installDiskSelector
        ? diskExpression(node.installDiskSelector)
        : node.installDisk === undefined
          ? undefined
          : `disk.dev_path == ${JSON.stringify(node.installDisk)}`;
      if (match !== undefined) insertInstall(result, node.installerImage, match, this.#cluster.contract, node.declaredAt, failures);
    } else {
      set('machine.install.disk', node.installDisk);
      set('machine.install.diskSelector', node.installDiskSelector);
      set('machine.install.image', node.installerImage);
      if (!node.useUki && !isOn('grubUsesUkiCommandLine')) append('machine.install.extraKernelArgs', node.extraKernelArgs);
    }
    set('machine.disks', nonEmpty(node.disks));
    set('machine.files', nonEmpty(node.files));
    if (isOn('kernelModuleDocuments')) for (const module of node.kernelModules ?? []) merge({ kind: 'KernelModuleConfig', ...module });
    else if (node.kernelModules && node.kernelModules.length > 0) set('machine.kernel.modules', [...node.kernelModules]);
    append('machine.certSANs', node.certSans);
    const labels = node.labels && withoutTemplates(node.labels);
    const annotations = node.annotations && withoutTemplates(node.annotations);
    if (isMultiKubernetes) {
      // Labels of the old form took the place of the generated one; only the role's own is not theirs to take.
      const nodeConfig = result.find(({ kind }) => kind === 'KubeNodeConfig');
      if (nodeConfig && labels) {
        const role = node.role === 'controlplane' ? { 'node-role.kubernetes.io/control-plane': '' } : {};
        nodeConfig.value = { ...nodeConfig.value, labels: { ...role, ...texts(labels) } };
      }
      if (annotations) merge({ kind: 'KubeNodeConfig', annotations });
      if (node.taints) merge({ kind: 'KubeNodeConfig', taints: node.taints });
    } else {
      set('machine.nodeLabels', labels);
      set('machine.nodeAnnotations', annotations);
      set('machine.nodeTaints', node.taints);
    }
    this.#applyCni(isMultiKubernetes, node, set, append, merge, remove);
    if (node.role === 'controlplane' || !isMultiKubernetes) this.#applyManifests(isMultiKubernetes, set, merge);
    if (isMultiNetwork && (node.nameservers.length > 0 || node.disableSearchDomain)) {
      merge({
        kind: 'ResolverConfig',
        ...(node.nameservers.length > 0 ? { nameservers: node.nameservers.map((address) => ({ address })) } : {}),
        searchDomains: { disableDefault: node.disableSearchDomain },
      });
    }
    if (isMultiNetwork)
      merge({ kind: 'HostnameConfig', ...(node.ignoreHostname ? { auto: 'stable' } : { auto: 'off', hostname: node.name }) });
    if (node.ingressFirewall) {
      merge({ kind: 'NetworkDefaultActionConfig', ingress: node.ingressFirewall['defaultAction'] ?? 'accept' });
      for (const rule of mapsOf(node.ingressFirewall['rules'])) merge({ kind: 'NetworkRuleConfig', ...rule });
    }
    for (const service of node.extensionServices ?? []) merge({ kind: 'ExtensionServiceConfig', ...service });
    for (const volume of node.volumes ?? []) merge({ kind: 'VolumeConfig', ...volume });
    for (const volume of node.userVolumes ?? []) merge({ kind: 'UserVolumeConfig', ...volume });
    // What Talos would say of the old form holds for the documents that are made of it.
    for (const rule of isMultiNetwork ? deviceRules({ interfaces: [...(node.networkInterfaces ?? [])] }) : [])
      failures.push(
        talosConfigFailure('talos-config/invalid', { document: 'networkInterfaces', rule }, { where: placeOf(node.declaredAt) }),
      );
    const network = isMultiNetwork ? networkDocuments(node.networkInterfaces ?? []) : { documents: [], lost: [] };
    for (const document of network.documents) merge(document);
    throwIfAny(failures);
    return { documents: result, lost: network.lost };
  }

  #applyCni(
    isMultiKubernetes: boolean,
    node: GeneratorNode,
    set: (path: string, value: ConfigValue | undefined) => void,
    append: (path: string, values: readonly ConfigValue[]) => void,
    merge: (value: ConfigMap) => void,
    remove: (kind: string) => void,
  ): void {
    const cni = this.#cluster.cni;
    if (!cni) return;
    if (!isMultiKubernetes) return set('cluster.network.cni', cni);
    if (node.role === 'worker') return;
    remove('KubeFlannelCNIConfig');
    const flannel = isConfigMap(cni['flannel']) ? cni['flannel'] : {};
    if (cni['name'] === 'flannel') {
      merge({
        kind: 'KubeFlannelCNIConfig',
        backendType: talosDefaults.flannelBackend,
        backendPort: talosDefaults.flannelPort,
        ...(flannel['extraArgs'] === undefined ? {} : { extraArgs: flannel['extraArgs'] }),
        ...(flannel['kubeNetworkPoliciesEnabled'] === undefined
          ? {}
          : { kubeNetworkPoliciesEnabled: flannel['kubeNetworkPoliciesEnabled'] }),
      });
    }
    const urls = Array.isArray(cni['urls']) ? cni['urls'] : [];
    urls.forEach((url, index) =>
      merge({ kind: 'KubeExternalManifestConfig', name: index === 0 ? 'custom-cni' : `custom-cni-${index + 1}`, url }),
    );
  }

  #applyManifests(
    isMultiKubernetes: boolean,
    set: (path: string, value: ConfigValue | undefined) => void,
    merge: (value: ConfigMap) => void,
  ): void {
    const manifests = this.#cluster.inlineManifests;
    if (manifests.length === 0) return;
    if (!isMultiKubernetes)
      return set(
        'cluster.inlineManifests',
        manifests.map(({ name, contents }) => ({ name, contents })),
      );
    for (const { name, contents } of manifests) merge({ kind: 'KubeInlineManifestConfig', name, manifest: contents });
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

/** The install document stands where upstream puts it: after the identity, before the resolver. */
function insertInstall(
  documents: ConfigDocument[],
  image: string,
  match: string,
  contract: TalosMinor,
  source: Span,
  failures: Failure[],
): void {
  const value: ConfigMap = {
    apiVersion: 'v1alpha1',
    kind: 'UnattendedInstallConfig',
    installer: { image },
    provisioning: { diskSelector: { match }, wipe: false },
  };
  const document = decodeDocument(plainSource(value, source), contract, failures);
  const before = documents.findIndex(({ kind }) => kind === 'ResolverConfig');
  if (document) documents.splice(before === -1 ? documents.length : before, 0, document);
}

/** The key of a field in the file of a patch; the patch itself where it does not say it. */
export function placeInPatch(file: SourceFile, document: ConfigDocument, path: readonly string[]): Place {
  const { documents } = parseYaml(file, { version: 'go' });
  const wanted = document.kind === 'v1alpha1' ? undefined : document.kind;
  const source = documents.find((one) => isConfigMap(one.value) && one.value['kind'] === wanted && one.has(path)) ?? documents[0];
  return placeOf(source ? source.spanOf(path, 'key') : { file, start: 0, end: 1 });
}

/** Extra documents are appended as they are. */
function asWritten(document: ConfigDocument): ConfigDocument {
  return document.given === undefined ? document : { ...document, verbatim: renderGoYaml(document.given, { indent: 2 }) };
}

/** A document that was not read from a file: everything in it belongs to the same place. */
function plainSource(value: ConfigValue, span: Span): DataDocument {
  return { file: span.file, source: span, value, has: () => true, spanOf: () => span, scalarAt: () => undefined };
}

function valueAt(value: ConfigMap, path: readonly string[]): ConfigValue | undefined {
  let node: ConfigValue | undefined = value;
  for (const part of path) node = isConfigMap(node) ? node[part] : undefined;
  return node;
}

function replaced(value: ConfigMap, [part = '', ...rest]: readonly string[], put: ConfigValue | undefined): ConfigMap {
  const result = { ...value };
  if (rest.length > 0) {
    const inner = result[part];
    result[part] = replaced(isConfigMap(inner) ? inner : {}, rest, put);
  } else if (put === undefined) delete result[part];
  else result[part] = put;
  return result;
}

const isTemplate = (value: ConfigValue | undefined) => typeof value === 'string' && (value.includes('{{') || value.includes('}}'));
const withoutTemplates = (values: ConfigMap): ConfigMap =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => !isTemplate(value)));
const texts = (values: ConfigMap): ConfigMap =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value ?? '')]));
const nonEmpty = (values: readonly ConfigMap[] | undefined): ConfigValue | undefined =>
  values && values.length > 0 ? [...values] : undefined;
const mapsOf = (value: ConfigValue | undefined) => (Array.isArray(value) ? value.filter((item) => isConfigMap(item)) : []);
