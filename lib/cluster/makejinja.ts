import { posix } from 'node:path';
import { type Files, Secret, throwIfAny, TkError } from '../base/index.ts';
import { parseToml } from '../format/index.ts';
import type { EngineOptions, PluginFacts, UndefinedMode } from '../render/index.ts';
import { parseIdentities, recipientOf } from '../secrets/index.ts';
import { clusterFailure } from './failures.ts';
import type { Vault } from './vault.ts';

/** How a repository's templates are rendered. */
export interface TemplateSetup {
  /** Absolute folders that exist; where two bring the same file, the first wins. Empty: nothing to render. */
  readonly inputs: readonly string[];
  readonly suffix: string;
  readonly exclude: readonly string[];
  readonly keepEmpty: boolean;
  /** Whether the templates expect the functions of cluster-template's plugin. */
  readonly hasPlugin: boolean;
  /** The templates are those that come with tk: this repository has none of its own. */
  readonly isShipped: boolean;
  readonly engine: Pick<EngineOptions, 'undefined' | 'delimiters' | 'trimBlocks' | 'lstripBlocks' | 'keepTrailingNewline'>;
}

const ownFolder = 'templates/config';
const undefinedModes: readonly UndefinedMode[] = ['default', 'chainable', 'strict', 'debug'];
const delimiterKeys = {
  block_start: 'blockStart',
  block_end: 'blockEnd',
  comment_start: 'commentStart',
  comment_end: 'commentEnd',
  variable_start: 'variableStart',
  variable_end: 'variableEnd',
} as const;

/**
 * `makejinja.toml` where the repository has one, else our own way: strict, over `templates/config`, or over the `shipped` folder where the
 * repository has no templates. Its `data` and `plugins` are not
 * read: the inputs are, and what cluster-template's plugin brings is built in.
 *
 * Failure: `format/syntax`, `cluster/makejinja` for what cannot be honoured.
 * Source: makejinja 2.8 makejinja/config.py
 */
export async function templateSetup(files: Files, root: string, shipped?: string): Promise<TemplateSetup> {
  const path = 'makejinja.toml';
  const text = await files.readText(posix.join(root, path));
  const whole = text === undefined ? undefined : parseToml({ path, text });
  throwIfAny(whole?.failures ?? []);
  const settings = tableOf(tableOf(whole?.documents[0]?.value)?.['makejinja']);
  if (settings === undefined) {
    const own = await existing(files, root, [ownFolder]);
    const isShipped = own.length === 0 && shipped !== undefined && (await files.stat(shipped))?.kind === 'directory';
    return {
      inputs: isShipped ? [shipped] : own,
      isShipped,
      suffix: '.j2',
      exclude: ['*.partial.yaml.j2'],
      keepEmpty: false,
      hasPlugin: false,
      engine: { undefined: 'strict' },
    };
  }
  const output = posix.normalize(String(settings['output'] ?? './'));
  if (output !== './' && output !== '.')
    throwIfAny([clusterFailure('cluster/makejinja', { key: 'output', value: output, expected: './' })]);
  const mode = String(settings['undefined'] ?? 'default');
  const undefinedMode = undefinedModes.find((known) => known === mode);
  if (undefinedMode === undefined)
    throwIfAny([clusterFailure('cluster/makejinja', { key: 'undefined', value: mode, expected: undefinedModes.join(', ') })]);
  const delimiter = tableOf(settings['delimiter']) ?? {};
  const whitespace = tableOf(settings['whitespace']) ?? {};
  const isOn = (key: string, otherwise: boolean) => (typeof whitespace[key] === 'boolean' ? whitespace[key] : otherwise);
  return {
    inputs: await existing(files, root, textsOf(settings['inputs'])),
    suffix: settings['jinja_suffix'] === undefined ? '.j2' : String(settings['jinja_suffix']),
    exclude: textsOf(settings['exclude_patterns']),
    keepEmpty: settings['keep_empty'] === true,
    hasPlugin: true,
    isShipped: false,
    engine: {
      undefined: undefinedMode ?? 'default',
      delimiters: Object.fromEntries(
        Object.entries(delimiterKeys).map(([key, name]) => [
          name,
          String(delimiter[key] ?? jinjaDefaults[key as keyof typeof delimiterKeys]),
        ]),
      ),
      trimBlocks: isOn('trim_blocks', true),
      lstripBlocks: isOn('lstrip_blocks', true),
      keepTrailingNewline: isOn('keep_trailing_newline', true),
    },
  };
}

/** Without a table of delimiters makejinja uses Jinja's own. */
const jinjaDefaults: Readonly<Record<keyof typeof delimiterKeys, string>> = {
  block_start: '{%',
  block_end: '%}',
  comment_start: '{#',
  comment_end: '#}',
  variable_start: '{{',
  variable_end: '}}',
};

export interface PluginParts {
  readonly files: Files;
  readonly root: string;
  readonly vault: Vault;
  readonly isSandbox: boolean;
  readonly setup: TemplateSetup;
}

/**
 * What the functions of cluster-template's plugin know: the age key, deploy key, webhook token and tunnel of the repository. A file
 * that is not there makes its function fail by name, in the sandbox it is made up.
 */
export async function pluginFacts(
  parts: PluginParts,
): Promise<Pick<PluginFacts, 'ageKey' | 'deployKey' | 'webhookToken' | 'cloudflareTunnel' | 'talosPatches'>> {
  const { files, root, isSandbox } = parts;
  if (!parts.setup.hasPlugin) return {};
  const text = async (path: string, made: string) => (isSandbox ? made : (await files.readText(posix.join(root, path)))?.trim());
  const deployKey = await text('github-deploy.key', 'sandbox-deploy-key');
  const webhookToken = await text('github-push-token.txt', 'sandbox-webhook-token');
  const tunnel = await text(
    'cloudflare-tunnel.json',
    '{"AccountTag":"sandbox","TunnelID":"00000000-0000-4000-8000-000000000000","TunnelSecret":"c2FuZGJveA=="}',
  );
  const ageKey = await ageKeyOf(parts.vault);
  return {
    ...(ageKey === undefined ? {} : { ageKey }),
    ...(deployKey === undefined ? {} : { deployKey }),
    ...(webhookToken === undefined ? {} : { webhookToken }),
    ...(tunnel === undefined ? {} : { cloudflareTunnel: parseTunnel(tunnel) }),
    talosPatches: await patchTemplates(parts),
  };
}

/** The first key that is here, both halves. */
export async function ageKeyOf(vault: Vault): Promise<PluginFacts['ageKey']> {
  const keys = await vault.ageKey();
  const [first] = keys === undefined ? [] : parseIdentities(new Secret(keys.reveal()), 'age.key');
  return first === undefined ? undefined : { public: await recipientOf(first, 'age.key'), private: first.reveal() };
}

function parseTunnel(text: string): NonNullable<PluginFacts['cloudflareTunnel']> {
  try {
    const { AccountTag, TunnelID, TunnelSecret } = JSON.parse(text) as Record<string, unknown>;
    return { AccountTag: String(AccountTag), TunnelID: String(TunnelID), TunnelSecret: String(TunnelSecret) };
  } catch {
    throw new TkError(
      clusterFailure('cluster/makejinja', {
        key: 'cloudflare-tunnel.json',
        value: 'unreadable',
        expected: 'JSON as `cloudflared` writes it',
      }),
    );
  }
}

async function patchTemplates({ files, setup }: PluginParts): Promise<Readonly<Record<string, readonly string[]>>> {
  const found: Record<string, readonly string[]> = {};
  for (const input of setup.inputs) {
    const folder = posix.join(input, 'talos/patches');
    for (const { name, kind } of await files.list(folder)) {
      if (kind !== 'directory') continue;
      const patches = (await files.list(posix.join(folder, name))).filter((entry) => entry.name.endsWith('.yaml.j2'));
      found[name] ??= patches.map((entry) => posix.join(folder, name, entry.name)).sort();
    }
  }
  return found;
}

async function existing(files: Files, root: string, folders: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    const absolute = posix.join(root, folder);
    if ((await files.stat(absolute))?.kind === 'directory') found.push(absolute);
  }
  return found;
}

const tableOf = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined;

const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)];
