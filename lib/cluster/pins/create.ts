import { posix } from 'node:path';
import { type Failure, type SourceFile, lineColumnAt, type World } from '../../base/index.ts';
import { type ClusterModel, clusterFile, envFilesOf, nodesFile } from '../../config/index.ts';
import { compareVersions, type DataDocument, type DataPath, editYaml, formatPath, parseYaml } from '../../format/index.ts';
import { imageIn } from '../kubernetes-upgrade/config-patch.ts';
import { versionOfImage } from '../kubernetes-upgrade/images.ts';
import { type KubernetesPart, kubernetesParts } from '../kubernetes-upgrade/kubernetes-upgrade.ts';
import type { MachineConfigsView } from '../cluster.ts';
import type { Vault } from '../vault.ts';
import { pinFailure } from './failures.ts';
import type { PinEdit, PinPlan, Pins } from './pins.ts';
import { envLine, inTheSameStyle, isSameVersion, isVersion, variableIn } from './written-version.ts';

export interface PinParts {
  readonly model: ClusterModel;
  readonly world: Pick<World, 'files' | 'env'>;
  readonly vault: Pick<Vault, 'isEncrypted' | 'canOpen' | 'decrypt'>;
  readonly machineConfigs: MachineConfigsView;
}

type What = 'talos' | 'kubernetes';

/** Where something is written, found anew each time: what is edited before it moves what comes after. */
type Target =
  | { readonly in: 'yaml'; readonly at: DataPath; readonly document: number }
  | { readonly in: 'env'; readonly variable: string }
  /** The n-th occurrence of a text in a line; for templates and defaults inside of a variable. */
  | { readonly in: 'text'; readonly before: string };

interface Found {
  readonly edit: PinEdit;
  readonly target: Target;
}

const keys: Readonly<Record<What, { readonly input: string; readonly talconfig: string; readonly controller: string }>> = {
  talos: { input: 'talos_version', talconfig: 'talosVersion', controller: 'TalosUpgrade' },
  kubernetes: { input: 'kubernetes_version', talconfig: 'kubernetesVersion', controller: 'KubernetesUpgrade' },
};

/** Templates that `configure` renders: a version that is written in one would come back with the next rendering. */
const templates = 'templates/config';

export function createPins({ model, world, vault, machineConfigs }: PinParts): Pins {
  const { files, env } = world;
  const { paths } = model;
  const relative = (path: string) => posix.relative(paths.root, path);
  const absolute = (path: string) => posix.join(paths.root, path);
  const sourceOf = async (path: string): Promise<SourceFile | undefined> => {
    const text = await files.readText(absolute(path));
    return text === undefined ? undefined : { path, text };
  };
  const found = new WeakMap<PinPlan, readonly Found[]>();

  return {
    async plan(wanted, { isForwardOnly = false } = {}) {
      const edits: Found[] = [];
      const warnings: Failure[] = [];
      for (const what of ['talos', 'kubernetes'] as const) {
        const version = wanted[what];
        if (version === undefined) continue;
        if (model.source === 'cluster.yaml') edits.push(...(await inputPins(what, version)));
        const talconfig = await talconfigPins(what, version);
        edits.push(...talconfig.edits);
        warnings.push(...talconfig.warnings);
        edits.push(...(await controllerPins(what, version)));
      }
      // Another Talos changes which Kubernetes goes without saying: what runs is written down before it moves.
      if (wanted.talos !== undefined && wanted.kubernetes === undefined && model.source === 'cluster.yaml')
        edits.push(...(await inputPins('kubernetes', model.kubernetesVersion)).filter(({ edit }) => edit.from === undefined));
      const kept = edits.filter(({ edit }) => !isForwardOnly || edit.from === undefined || compareVersions(edit.from, edit.to) < 0);
      const plan: PinPlan = { wanted, edits: kept.map(({ edit }) => edit), warnings };
      found.set(plan, kept);
      return plan;
    },
    async follow(plan) {
      const texts = new Map<string, string>();
      for (const { edit, target } of found.get(plan) ?? []) {
        const before = texts.get(edit.path) ?? (await files.readText(absolute(edit.path)));
        if (before !== undefined) texts.set(edit.path, written(edit, target, before));
      }
      for (const [path, text] of texts) await files.write(absolute(path), text);
    },
    async overridden(wanted, signal, { isForwardOnly = false } = {}) {
      const failures: Failure[] = [];
      if (wanted.kubernetes === undefined) return failures;
      const { files: generated } = await machineConfigs.generate(signal);
      for (const { node, text } of generated) {
        if (node === undefined) continue;
        for (const part of kubernetesParts) {
          if (node.role === 'worker' && part !== 'kubelet') continue;
          const image = imageIn(text, part);
          const version = image === undefined ? undefined : versionOfImage(image);
          if (image === undefined || version === wanted.kubernetes) continue;
          if (isForwardOnly && version !== undefined && compareVersions(version, wanted.kubernetes) > 0) continue;
          const where = await placeOf(node, part, signal);
          failures.push(
            pinFailure('pin/overridden', {
              node: node.name,
              part,
              image,
              wanted: wanted.kubernetes,
              ...(where === undefined ? {} : { where }),
            }),
          );
        }
      }
      return failures;
    },
  };

  /** `cluster.yaml`, and entries of `nodes.yaml` that name a Talos of their own. */
  async function inputPins(what: What, version: string): Promise<readonly Found[]> {
    const key = keys[what].input;
    const source = await sourceOf(clusterFile);
    const cluster = source === undefined ? [] : yamlPin(source, [key], version, { adds: true });
    const nodes = what === 'talos' ? await sourceOf(nodesFile) : undefined;
    const [document] = nodes === undefined ? [] : parseYaml(nodes, { version: 'go' }).documents;
    const entries = (document?.value as { readonly nodes?: readonly unknown[] } | undefined)?.nodes ?? [];
    const own = entries.flatMap((_, index) => (nodes === undefined ? [] : yamlPin(nodes, ['nodes', index, key], version, { adds: false })));
    return [...cluster, ...own];
  }

  /** The talconfig's own key, or the variable that it is filled in from. */
  async function talconfigPins(what: What, version: string): Promise<{ readonly edits: readonly Found[]; readonly warnings: Failure[] }> {
    const path = relative(paths.talconfig);
    const key = keys[what].talconfig;
    const source = await sourceOf(path);
    if (source === undefined) return { edits: [], warnings: [] };
    const raw = valueAt(parseYaml(source, { version: 'go' }).documents[0], [key]);
    if (raw === undefined || !raw.includes('$')) {
      const edits = yamlPin(source, [key], version, { adds: model.source === 'talconfig.yaml' });
      return { edits: [...edits, ...(await templatePins(edits))], warnings: [] };
    }
    const variable = variableIn(raw);
    if (variable === undefined) return { edits: [], warnings: [pinFailure('pin/composed', { path, key, written: raw, version })] };
    // Later files win, as the generator reads them.
    for (const path of envFilesOf(paths.talconfig).toReversed()) {
      const file = await sourceOf(relative(path));
      if (file === undefined) continue;
      const isEncrypted = vault.isEncrypted(file);
      const line = envLine(file.text, variable.name);
      if (line === undefined) continue;
      if (isEncrypted) {
        // Without the key nobody knows, and that is said too.
        const plain = (await vault.canOpen(file)) ? envLine((await vault.decrypt(file)).reveal(), variable.name)?.value : undefined;
        const isRight = plain !== undefined && isSameVersion(variable.prefix + plain, version);
        return {
          edits: [],
          warnings: isRight ? [] : [pinFailure('pin/encrypted', { path: file.path, variable: variable.name, version })],
        };
      }
      if (isSameVersion(variable.prefix + line.value, version)) return { edits: [], warnings: [] };
      if (!isVersion(variable.prefix + line.value))
        return { edits: [], warnings: [pinFailure('pin/composed', { path: file.path, key: variable.name, written: line.value, version })] };
      const to = variable.prefix === 'v' ? version.replace(/^v/, '') : inTheSameStyle(line.value, version);
      const edit: Found = {
        edit: { path: file.path, line: line.line, from: line.value, to, key: variable.name },
        target: { in: 'env', variable: variable.name },
      };
      return { edits: [edit, ...(await templatePins([edit]))], warnings: [] };
    }
    const ofProcess = env.get(variable.name);
    if (ofProcess !== undefined && ofProcess !== '') {
      const isRight = isSameVersion(variable.prefix + ofProcess, version);
      return { edits: [], warnings: isRight ? [] : [pinFailure('pin/environment', { variable: variable.name, version })] };
    }
    const { fallback } = variable;
    if (fallback === undefined || !isVersion(variable.prefix + fallback))
      return { edits: [], warnings: [pinFailure('pin/environment', { variable: variable.name, version })] };
    if (isSameVersion(variable.prefix + fallback, version)) return { edits: [], warnings: [] };
    const to = variable.prefix === 'v' ? version.replace(/^v/, '') : inTheSameStyle(fallback, version);
    return {
      edits: [{ edit: { path, line: lineOf(source.text, raw), from: fallback, to, key }, target: { in: 'text', before: raw } }],
      warnings: [],
    };
  }

  /** The template that a rendered file comes from, where the version is written in it and not filled in. */
  async function templatePins(edits: readonly Found[]): Promise<readonly Found[]> {
    const more: Found[] = [];
    for (const { edit } of edits) {
      if (edit.from === undefined) continue;
      const source = await sourceOf(posix.join(templates, `${edit.path}.j2`));
      const line = source && new RegExp(`^.*${edit.key}\\s*[:=]\\s*["']?${escaped(edit.from)}["']?.*$`, 'm').exec(source.text)?.[0];
      if (source === undefined || line === undefined) continue;
      more.push({ edit: { ...edit, path: source.path, line: lineOf(source.text, line) }, target: { in: 'text', before: line } });
    }
    return more;
  }

  /** What an upgrade controller of the Flux tree is told: one that is told the old version would go back to it. */
  async function controllerPins(what: What, version: string): Promise<readonly Found[]> {
    if (paths.kubernetes === undefined) return [];
    const kind = keys[what].controller;
    const more: Found[] = [];
    for (const path of await yamlFilesBelow(paths.kubernetes)) {
      const text = await files.readText(path);
      if (text === undefined || !text.includes(`kind: ${kind}`)) continue;
      const source = { path: relative(path), text };
      parseYaml(source, { version: 'go' }).documents.forEach((document, index) => {
        // An edit reaches the first document alone.
        if (index > 0 || valueAt(document, ['kind']) !== kind) return;
        more.push(...yamlPin(source, ['spec', what, 'version'], version, { adds: false }));
      });
    }
    return [...more, ...(await templatePins(more.map((one) => ({ ...one, edit: { ...one.edit, key: 'version' } }))))];
  }

  async function yamlFilesBelow(directory: string): Promise<readonly string[]> {
    const below: string[] = [];
    for (const entry of await files.list(directory)) {
      const path = posix.join(directory, entry.name);
      if (entry.kind === 'directory') below.push(...(await yamlFilesBelow(path)));
      else if (/\.ya?ml$/.test(entry.name) && !entry.name.includes('.sops.')) below.push(path);
    }
    return below;
  }

  /** Where the config says which image it takes: the last layer that touched it. */
  async function placeOf(node: Parameters<MachineConfigsView['explain']>[0][number], part: KubernetesPart, signal: AbortSignal) {
    for (const question of questions[part]) {
      try {
        const [field] = await machineConfigs.explain([node], question, signal);
        const where = field?.layers.at(-1)?.where;
        if (where !== undefined) return where;
      } catch {
        // The config has no such document: the other form has the field.
      }
    }
    return undefined;
  }
}

const questions: Readonly<Record<KubernetesPart, readonly string[]>> = {
  'kube-apiserver': ['KubeAPIServerConfig.image', 'cluster.apiServer.image'],
  'kube-controller-manager': ['KubeControllerManagerConfig.image', 'cluster.controllerManager.image'],
  'kube-scheduler': ['KubeSchedulerConfig.image', 'cluster.scheduler.image'],
  'kube-proxy': ['KubeProxyConfig.image', 'cluster.proxy.image'],
  kubelet: ['KubeletConfig.image', 'machine.kubelet.image'],
};

/** Empty when it is right already, and when it is not there and is not to be added. */
function yamlPin(source: SourceFile, at: DataPath, version: string, { adds }: { readonly adds: boolean }): readonly Found[] {
  const [document] = parseYaml(source, { version: 'go' }).documents;
  const from = valueAt(document, at);
  const target: Target = { in: 'yaml', at, document: 0 };
  const key = formatPath(at);
  if (from === undefined) {
    if (!adds) return [];
    return [{ edit: { path: source.path, line: source.text.split('\n').length, to: version, key }, target }];
  }
  if (!isVersion(from) || isSameVersion(from, version)) return [];
  const line = document?.has(at) ? lineColumnAt(source.text, document.spanOf(at).start).line : 1;
  return [{ edit: { path: source.path, line, from, to: inTheSameStyle(from, version), key }, target }];
}

function written({ from = '', to }: PinEdit, target: Target, text: string): string {
  switch (target.in) {
    case 'yaml':
      return editYaml({ path: '', text }, [{ op: 'set', path: target.at, value: to }]);
    case 'env': {
      const line = envLine(text, target.variable);
      return line === undefined ? text : text.slice(0, line.start) + to + text.slice(line.end);
    }
    case 'text':
      return text.replace(target.before, () => target.before.replace(from, () => to));
  }
}

function valueAt(document: DataDocument | undefined, at: DataPath): string | undefined {
  let value: unknown = document?.value;
  for (const key of at) value = typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[key] : undefined;
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

const lineOf = (text: string, part: string): number => text.slice(0, Math.max(0, text.indexOf(part))).split('\n').length;
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
