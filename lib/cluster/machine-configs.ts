import { posix } from 'node:path';
import { contentKey, type Failure, type Files, Secret, TkError, type World } from '../base/index.ts';
import { type ClusterModel, loadTalconfig, type NodeModel, type Talconfig } from '../config/index.ts';
import {
  generateMachineConfigs,
  type GeneratedMachineConfig,
  generateTalosconfig,
  isAtLeastMinor,
  contractOf,
  type SecretsBundle,
} from '../talos/machine-config.ts';
import { sha256Hex } from '../pki/index.ts';
import type { HelmEngine } from '../wasm/index.ts';
import type { GeneratedConfigs, GeneratedFile, MachineConfigs, TalosconfigRequest } from './cluster.ts';
import { environmentOf } from './environment.ts';
import { configDifferences } from './config-differences.ts';
import { explainConfigs } from './explain-config.ts';
import { clusterFailure } from './failures.ts';
import { generatorInput } from './generator-input.ts';
import { ensureAllIgnored, ensureIgnored } from './git-ignore.ts';
import type { BundleStore, KeptBundle } from './secrets-bundle.ts';
import { withTemplates } from './talconfig-images.ts';
import type { Vault } from './vault.ts';

const atOnce = 256;

export interface MachineConfigParts {
  readonly model: ClusterModel;
  readonly world: World;
  readonly vault: Vault;
  readonly bundles: BundleStore;
  readonly engine: HelmEngine;
}

export function createMachineConfigs({ model, world, vault, bundles, engine }: MachineConfigParts): MachineConfigs {
  const { files } = world;
  const { paths } = model;
  const relative = (path: string) =>
    path.startsWith(`${paths.root}/`) ? path.slice(paths.root.length + 1) : posix.relative(paths.root, path);

  const talconfig = (): Promise<Talconfig> =>
    loadTalconfig(files, {
      root: paths.root,
      path: paths.talconfig,
      environment: environmentOf(world),
      decrypt: async (file) => (vault.isEncrypted(file) ? (await vault.decrypt(file)).reveal() : file.text),
    });

  const renderAll = async (
    signal: AbortSignal,
    options: { readonly withLayers?: boolean; readonly bundle?: SecretsBundle; readonly folder?: string } = {},
  ): Promise<{ readonly configs: readonly GeneratedMachineConfig[]; readonly source: Talconfig }> => {
    const source = await talconfig();
    const bundle = options.bundle ?? (await bundles.get()).bundle;
    const hardening = await isNewCluster(files, model, options.folder ?? paths.clusterConfig);
    const render = (text: string, data: unknown) =>
      engine.renderGoTemplate({ text, data: data as never, name: source.source.original.path }, signal);
    const withLayers = options.withLayers === true;
    const configs = await generatedOnce(source, bundle, `${hardening} ${withLayers}`, async () => {
      const cluster = await withTemplates((templates) => generatorInput(source, { hardening, ...templates }), render);
      return generateMachineConfigs(
        { cluster, bundle },
        {
          withLayers,
          renderTemplate: (text, data, file) => engine.renderGoTemplate({ text, data: data as never, name: file.path }, signal),
        },
      );
    });
    return { configs, source };
  };
  const asFile = async (
    path: string,
    text: Secret<string>,
    node?: NodeModel,
    read: (path: string) => string | undefined | Promise<string | undefined> = files.readText,
  ): Promise<GeneratedFile> => ({
    path: relative(path),
    text,
    isEqual: (await read(path)) === text.reveal(),
    ...(node === undefined ? {} : { node }),
  });
  const talosconfigOf = async (bundle: SecretsBundle, request: TalosconfigRequest = {}, path = paths.talosconfig) => {
    const existing = await files.readText(path);
    return generateTalosconfig(world, bundle, {
      ...request,
      clusterName: model.name,
      endpoints: model.nodes.filter((node) => node.role === 'controlplane').map((node) => node.address),
      nodes: model.nodes.map((node) => node.address),
      ...(existing === undefined ? {} : { existing: { path: relative(path), text: existing } }),
    });
  };
  const newSecrets = (fresh: KeptBundle['fresh']): Pick<GeneratedConfigs, 'newSecrets'> =>
    fresh === undefined ? {} : { newSecrets: { path: relative(fresh.path), text: fresh.text, isEqual: false } };

  return {
    async generate(signal, places = {}): Promise<GeneratedConfigs> {
      const { secrets, out } = places;
      const { bundle, fresh } = secrets === undefined ? await bundles.get() : await bundles.of(posix.resolve(paths.root, secrets));
      const folder = out === undefined ? paths.clusterConfig : posix.resolve(paths.root, out);
      const talosconfigPath = out === undefined ? paths.talosconfig : posix.join(folder, 'talosconfig');
      const { configs, source } = await renderAll(signal, { bundle, folder });
      const byName = new Map(model.nodes.map((node) => [String(node.name), node]));
      const talosconfig = await talosconfigOf(bundle, {}, talosconfigPath);
      // A thousand files that are not there yet are not asked for one by one.
      const present = new Set((await files.list(folder)).map(({ name }) => posix.join(folder, name)));
      const written = (path: string) => (posix.dirname(path) === folder && !present.has(path) ? undefined : files.readText(path));
      const generated = await Promise.all([
        ...configs.map((config) => asFile(posix.join(folder, config.fileName), new Secret(config.text), byName.get(config.name), written)),
        asFile(talosconfigPath, talosconfig.text),
      ]);
      const warnings: Failure[] = [...source.warnings, ...configs.flatMap(warningsOf)];
      return { files: generated, warnings, ...newSecrets(fresh) };
    },
    async talosconfig(request) {
      const { bundle, fresh } = await bundles.get();
      const { text, certificateKept, notAfterMs } = await talosconfigOf(bundle, request);
      const file = await asFile(paths.talosconfig, text);
      return {
        generated: { files: [file], warnings: [], ...newSecrets(fresh) },
        path: file.path,
        isEqual: file.isEqual,
        certificateKept,
        notAfterMs,
      };
    },
    async write(generated, signal) {
      if (generated.newSecrets !== undefined) {
        const path = posix.join(paths.root, generated.newSecrets.path);
        if (!path.endsWith('.sops.yaml')) await ensureIgnored(files, paths.root, path);
        await files.write(path, generated.newSecrets.text.reveal(), { mode: 0o600 });
        bundles.forget();
      }
      const changed = generated.files
        .filter((file) => !file.isEqual)
        .map(({ path, text }) => ({ path: posix.join(paths.root, path), text: text.reveal() }));
      await ensureAllIgnored(
        files,
        paths.root,
        changed.map(({ path }) => path),
      );
      // Each write waits for the disk: several at once do so together.
      for (let start = 0; start < changed.length; start += atOnce) {
        signal.throwIfAborted();
        await Promise.all(changed.slice(start, start + atOnce).map(({ path, text }) => files.write(path, text, { mode: 0o600 })));
      }
    },
    async of(node, signal) {
      const { configs } = await renderAll(signal);
      const found = configs.find((config) => config.name === node.name);
      if (found === undefined)
        throw new TkError(
          clusterFailure('cluster/unknown-node', { asked: node.name, by: 'node', known: configs.map((config) => config.name) }),
        );
      return new Secret(found.text);
    },
    async differences({ path, text }) {
      const last = await files.readText(posix.join(paths.root, path));
      if (last === undefined) return { state: 'missing', because: `${path} has not been generated yet` };
      return configDifferences(new Secret(last), text, await bundles.secretValues());
    },
    async explain(nodes, question, signal) {
      const { configs, source } = await renderAll(signal, { withLayers: true });
      const asked = nodes.flatMap((node) => configs.filter((config) => config.name === node.name).map((config) => ({ node, config })));
      return explainConfigs(asked, question, { source, secrets: await bundles.secretValues() });
    },
  };
}

type Configs = readonly GeneratedMachineConfig[];

const generatedBefore = new WeakMap<Talconfig, Map<string, Promise<Configs>>>();
const mostGenerated = 8;

/**
 * A run asks for the same configs at each node and each look: they are made once of one talconfig, which is another as soon as one of
 * its files is.
 */
function generatedOnce(source: Talconfig, bundle: SecretsBundle, how: string, make: () => Promise<Configs>): Promise<Configs> {
  let ofSource = generatedBefore.get(source);
  if (!ofSource) generatedBefore.set(source, (ofSource = new Map()));
  const key = `${sha256Hex(contentKey(bundle))} ${how}`;
  let configs = ofSource.get(key);
  if (!configs) {
    const made = make();
    ofSource.set(key, (configs = made));
    made.catch(() => ofSource.delete(key));
    for (const oldest of ofSource.keys()) if (ofSource.size > mostGenerated) ofSource.delete(oldest);
  }
  return configs;
}

/**
 * Whether the switches that 1.14 turns on for new clusters may be turned on: only before this cluster has any config. What an
 * existing cluster was made with is read off the configs that lie in the repository.
 */
async function isNewCluster(files: Files, model: ClusterModel, folder: string): Promise<boolean> {
  if (!isAtLeastMinor(contractOf(model.talosVersion), '1.14')) return false;
  const existing = (await files.list(folder)).filter((entry) => /\.ya?ml$/.test(entry.name));
  if (existing.length === 0) return true;
  for (const entry of existing) {
    const text = (await files.readText(posix.join(folder, entry.name))) ?? '';
    if (/^kind: SecurityProfileConfig$/m.test(text)) return true;
  }
  return false;
}

function warningsOf({ name, kept, lost }: GeneratedMachineConfig): Failure[] {
  return [
    ...kept.map(({ document, path }) => clusterFailure('machine-config/value-kept', { node: name, document, path })),
    ...lost.map(({ path, index, reason }) =>
      clusterFailure('machine-config/setting-lost', { node: name, path: `networkInterfaces[${index}].${path}`, reason }),
    ),
  ];
}
