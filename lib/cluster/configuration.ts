import { posix } from 'node:path';
import { type Failure, placeOf, Secret, type SourceFile, throwIfAny, type World } from '../base/index.ts';
import {
  checkKubePrism,
  type ClusterModel,
  type ClusterSecrets,
  configFailure,
  loadClusterInputs,
  missingSecrets,
  placeholderSecrets,
  readSecrets,
  secretData,
  secretsFile,
  type TemplateData,
} from '../config/index.ts';
import { networkOf, nthHost, parseYaml } from '../format/index.ts';
import type { PlannedFile, PluginFacts, RenderedTree, TemplateData as RenderData, TreeChanges } from '../render/index.ts';
import type { Configuration, ConfigurationPlan, FileChange } from './cluster.ts';
import { clusterFailure } from './failures.ts';
import { ageKeyOf, pluginFacts, type TemplateSetup, templateSetup } from './makejinja.ts';
import { plainSecrets } from './plain-secrets.ts';
import { createRenderedRecord, overwrittenFolder } from './rendered-record.ts';
import type { Vault } from './vault.ts';

export interface ConfigurationParts {
  readonly model: ClusterModel;
  readonly world: World;
  readonly vault: Vault;
  readonly isSandbox: boolean;
  /** Absolute: the templates that come with tk, for repositories that have inputs and nothing to render from them. */
  readonly shippedTemplates?: string;
  /** Absolute; `.tk`. */
  readonly stateDirectory: string;
  /** Called when the repository's files have changed. */
  readonly afterApply?: () => void;
}

/** Fifty modules, loaded where there is something to render. */
const renderer = () => import('../render/index.ts');

/** Committed, so that a fresh clone knows which files are ours. */
const manifestName = 'templates/.rendered';
/** Says in the manifest that it lists what the shipped templates made; without it a repository that has lost its templates keeps what it has. */
const shippedNote =
  '# From the templates that come with tk. They are yours to change after: cp -r node_modules/talos-tk/templates/config templates/config\n';
/** Patches for single nodes are those of the reference cluster. */
const isShared = (path: string): boolean => !/^talos\/patches\/(?!(?:global|controller|worker)\/)/.test(path);
const ageRecipient = /\bage1[a-z0-9]{50,}/g;
const encryptedName = /[^/]\.sops\.(?:ya?ml|json|env|ini)$/;

interface Planned {
  readonly plan: ConfigurationPlan;
  readonly outputs: readonly PlannedFile[];
  readonly isShipped: boolean;
  readonly changes: TreeChanges;
}

/**
 * Renders `templates/config`, or what comes with tk where there is none, over the inputs. A repository of a talconfig alone has nothing to
 * render, and that is fine.
 */
export function createConfiguration({
  model,
  world,
  vault,
  isSandbox,
  shippedTemplates,
  stateDirectory,
  afterApply,
}: ConfigurationParts): Configuration {
  const { files } = world;
  const { root } = model.paths;
  const planned = new WeakMap<ConfigurationPlan, Planned>();
  const record = createRenderedRecord(files, root, stateDirectory);
  const treeOptions = ({ outputs, isShipped }: { readonly outputs: readonly PlannedFile[]; readonly isShipped: boolean }) => ({
    files,
    root,
    outputs,
    manifest: posix.join(root, manifestName),
    ...(isShipped ? { note: shippedNote } : {}),
  });
  /** Where nothing was ever rendered, and where it was they who rendered it. */
  const shippedHere = async (): Promise<string | undefined> => {
    const manifest = await files.readText(posix.join(root, manifestName));
    const isOurs = manifest === undefined ? (await files.stat(model.paths.talconfig)) === undefined : manifest.includes(shippedNote);
    return isOurs ? shippedTemplates : undefined;
  };

  return {
    async plan(): Promise<ConfigurationPlan> {
      // What the sandbox sees of encrypted files is made up.
      if (!isSandbox) throwIfAny(await plainSecrets({ model, files, vault }));
      const isInput = model.source === 'cluster.yaml';
      const setup = await templateSetup(files, root, isInput ? await shippedHere() : undefined);
      if (isInput && setup.inputs.length === 0 && (await files.stat(model.paths.talconfig)) === undefined)
        throwIfAny([await noTemplates()]);
      if (!isInput || setup.inputs.length === 0) {
        return { changes: [], equal: 0, edited: [], notVerified: [], warnings: [], placeholders: [], renders: false };
      }
      const loaded = await loadClusterInputs(files, root);
      throwIfAny(loaded.failures);
      const secrets = await loadSecrets(loaded.secrets);
      const data = await withRecipients(loaded.templateData as TemplateData);
      if (!secrets.isLocked) throwIfAny(missingSecrets(data, secrets.values));
      const rendered = await render(setup, data, secretData(secrets.values));
      throwIfAny(checkRendered(rendered));
      const settled = await settleEncrypted(rendered, secrets.isLocked);
      const { planTree } = await renderer();
      const changes = await planTree(treeOptions({ outputs: settled.outputs, isShipped: setup.isShipped }));
      const edited = await record.edited(changes);
      const kept = (path: string) => posix.join(posix.relative(root, stateDirectory), overwrittenFolder, path);
      const plan: ConfigurationPlan = {
        changes: changesOf(changes),
        equal: changes.unchanged.length,
        edited,
        notVerified: settled.notVerified,
        warnings: [...loaded.warnings, ...edited.map((path) => clusterFailure('cluster/edited-by-hand', { path, kept: kept(path) }))],
        placeholders: isSandbox ? await askedFor(rendered, Object.keys(secrets.values)) : [],
        renders: true,
      };
      planned.set(plan, { plan, outputs: settled.outputs, isShipped: setup.isShipped, changes });
      return plan;
    },
    async apply(plan) {
      const known = planned.get(plan);
      if (known === undefined || !plan.renders) return;
      const { applyTree } = await renderer();
      await record.keepAside(plan.edited);
      await applyTree(treeOptions(known), known.changes);
      await record.remember(known.outputs);
      afterApply?.();
    },
  };

  /** Inputs that name no recipient mean whom the repository encrypts for already, else whose key is here. */
  async function withRecipients(data: TemplateData): Promise<TemplateData> {
    const named = data['sops_age_recipients'];
    if (Array.isArray(named) && named.length > 0) return data;
    const rules = isSandbox ? undefined : await files.readText(posix.join(root, '.sops.yaml'));
    const known = [...new Set(rules?.match(ageRecipient) ?? [])];
    const own = known.length > 0 ? undefined : await ageKeyOf(vault);
    return { ...data, sops_age_recipients: own === undefined ? known : [own.public] };
  }

  async function noTemplates(): Promise<Failure> {
    const path = 'cluster.yaml';
    const text = (await files.readText(posix.join(root, path))) ?? '';
    const missing = posix.relative(root, model.paths.talconfig);
    return clusterFailure(
      'cluster/no-templates',
      { missing, manifest: manifestName },
      { where: placeOf({ file: { path, text }, start: 0, end: 1 }) },
    );
  }

  /**
   * What only templates of encrypted files see. In the sandbox, and where nobody here can open the file of secrets (`isLocked`):
   * placeholders of the right form; then no encrypted file is made of them.
   */
  async function loadSecrets(inline: ClusterSecrets): Promise<{ readonly values: ClusterSecrets; readonly isLocked: boolean }> {
    if (isSandbox) return { values: placeholderSecrets(), isLocked: false };
    const text = await files.readText(posix.join(root, secretsFile));
    if (text === undefined) return { values: inline, isLocked: false };
    if (!(await vault.canOpen({ path: secretsFile, text }))) return { values: placeholderSecrets(), isLocked: true };
    const plain = await vault.decrypt({ path: secretsFile, text });
    const { documents, failures } = parseYaml({ path: secretsFile, text: plain.reveal() }, { version: 'go', confidential: true });
    throwIfAny(failures);
    const [document] = documents;
    if (document === undefined) return { values: inline, isLocked: false };
    const read = readSecrets(document);
    throwIfAny(read.failures);
    return { values: { ...inline, ...read.secrets }, isLocked: false };
  }

  /** Of these names those that stand in a template of an encrypted file. */
  async function askedFor(rendered: readonly PlannedFile[], names: readonly string[]): Promise<readonly string[]> {
    const sources = await Promise.all(rendered.filter(({ path }) => encryptedName.test(path)).map(({ source }) => files.readText(source)));
    return names.filter((name) => sources.some((text) => text?.includes(name)));
  }

  async function render(
    setup: TemplateSetup,
    data: TemplateData,
    secrets: Secret<Readonly<Record<string, string>>>,
  ): Promise<readonly PlannedFile[]> {
    const { makejinjaPlugin, renderTree } = await renderer();
    const facts = await pluginFacts({ files, root, vault, isSandbox, setup });
    const common = {
      environment: {},
      nthHost: (cidr: string, n: number): string | false => {
        const network = networkOf(cidr);
        return (network && nthHost(network, n)?.text) ?? false;
      },
    };
    // Of what is secret, files that are not encrypted see nothing: the public half of the key, and what the tunnel is called.
    const { ageKey, cloudflareTunnel: tunnel, talosPatches } = facts;
    const open: PluginFacts = {
      ...common,
      ...(ageKey === undefined ? {} : { ageKey: { public: ageKey.public, private: '' } }),
      ...(tunnel === undefined ? {} : { cloudflareTunnel: { AccountTag: tunnel.AccountTag, TunnelID: tunnel.TunnelID } }),
      ...(talosPatches === undefined ? {} : { talosPatches }),
    };
    const pass = (variables: object, filter: (path: string) => boolean, plugin: PluginFacts = open) =>
      renderTree({
        files,
        inputs: setup.inputs,
        data: variables as RenderData,
        engine: { dialect: 'makejinja', ...setup.engine, ...makejinjaPlugin(plugin) },
        suffix: setup.suffix,
        exclude: setup.exclude,
        keepEmpty: setup.keepEmpty,
        filter: (path) => filter(path) && (!setup.isShipped || isShared(path)),
      }).then(outputsOf);
    // Which patches there are is known only after they were rendered: one that comes out empty is left out.
    const patches = await pass(data, (path) => path.startsWith('talos/patches/') && !isEncryptedTemplate(path));
    const withPatches = { ...data, patch_files: patchFiles(patches) };
    const plain = await pass(withPatches, (path) => !isEncryptedTemplate(path));
    const encrypted = await pass({ ...withPatches, ...secrets.reveal() }, isEncryptedTemplate, { ...common, ...facts });
    return [...plain, ...encrypted].sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /**
   * Ciphertext differs each time, so plain text is compared: an equal file keeps its bytes, and one that nobody here can open is
   * kept and named.
   */
  async function settleEncrypted(
    rendered: readonly PlannedFile[],
    isLocked: boolean,
  ): Promise<{ readonly outputs: readonly PlannedFile[]; readonly notVerified: readonly string[] }> {
    const rules = rendered.find((file) => file.path === '.sops.yaml');
    const notVerified: string[] = [];
    const failures: Failure[] = [];
    const outputs: PlannedFile[] = [];
    for (const file of rendered) {
      if (!encryptedName.test(file.path)) {
        outputs.push(file);
        continue;
      }
      const plain = textOf(file);
      const existing = await files.readText(posix.join(root, file.path));
      const before = existing === undefined ? undefined : { path: file.path, text: existing };
      if (before !== undefined && vault.isEncrypted(before)) {
        if (isLocked || !(await vault.canOpen(before))) {
          notVerified.push(file.path);
          outputs.push({ ...file, content: before.text });
          continue;
        }
        if (isSameData(file.path, (await vault.decrypt(before)).reveal(), plain)) {
          outputs.push({ ...file, content: before.text });
          continue;
        }
      }
      if (isLocked) {
        failures.push(configFailure('config/secrets-locked', { path: file.path, secretsPath: secretsFile }));
        continue;
      }
      const ciphertext = await vault.encrypt(file.path, new Secret(plain), {
        ...(rules ? { rules: { path: '.sops.yaml', text: textOf(rules) } } : {}),
        ...(before ? { previous: before } : {}),
      });
      if (ciphertext === undefined)
        failures.push(clusterFailure(rules === undefined ? 'cluster/no-recipient' : 'cluster/plaintext-secret', { path: file.path }));
      else outputs.push({ ...file, content: ciphertext });
    }
    throwIfAny(failures);
    return { outputs, notVerified };
  }
}

const isEncryptedTemplate = (path: string): boolean => encryptedName.test(path.replace(/\.j2$/, ''));
const textOf = (file: PlannedFile): string =>
  typeof file.content === 'string' ? file.content : Buffer.from(file.content).toString('utf8');

function outputsOf(tree: RenderedTree): readonly PlannedFile[] {
  if (tree.state === 'rendered') return tree.outputs;
  throwIfAny(tree.failures);
  return [];
}

/** Names of the rendered patches by directory: `{ global: ['kubelet.yaml'] }`. */
function patchFiles(patches: readonly PlannedFile[]): Readonly<Record<string, readonly string[]>> {
  const byFolder: Record<string, string[]> = {};
  for (const { path } of patches) {
    const [folder, ...rest] = path.slice('talos/patches/'.length).split('/');
    if (folder !== undefined && rest.length > 0) (byFolder[folder] ??= []).push(rest.join('/'));
  }
  return byFolder;
}

/** What came out has to be readable, and has to fit together. */
function checkRendered(rendered: readonly PlannedFile[]): readonly Failure[] {
  const sources: readonly SourceFile[] = rendered
    .filter(({ path }) => /\.ya?ml$/.test(path))
    .map((file) => ({ path: file.path, text: textOf(file) }));
  const unreadable = sources.flatMap(
    (source) => parseYaml(source, { version: 'go', confidential: encryptedName.test(source.path) }).failures,
  );
  return unreadable.length > 0 ? unreadable : checkKubePrism(sources);
}

function isSameData(path: string, one: string, other: string): boolean {
  if (!/\.ya?ml$/.test(path)) return one === other;
  const values = (text: string) =>
    JSON.stringify(parseYaml({ path, text }, { version: 'go', confidential: true }).documents.map(({ value }) => value));
  return values(one) === values(other);
}

function changesOf(changes: TreeChanges): readonly FileChange[] {
  return [
    ...changes.written.map(({ path, before }): FileChange => ({ path, change: before === undefined ? 'create' : 'update' })),
    ...changes.removed.map((path): FileChange => ({ path, change: 'delete' })),
    ...(changes.manifest.isChanged ? [{ path: manifestName, change: 'update' } as const] : []),
  ];
}
