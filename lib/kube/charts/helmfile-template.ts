import { posix } from 'node:path';
import { type Env, type Files, hasCode, type Json, type Place, type Secret, type SourceFile, TkError } from '../../base/index.ts';
import type { HelmEngine, TemplateFile } from '../../wasm/index.ts';
import { releaseFailure } from './failures.ts';

export interface HelmfilePorts {
  readonly files: Files;
  /** Absolute. */
  readonly repository: string;
  /** Loaded only by a helmfile that holds a template which is needed. */
  readonly engine: HelmEngine;
  readonly env: Env;
  readonly signal: AbortSignal;
  /** The plain text of a SOPS file. */
  readonly decrypt?: (file: SourceFile) => Promise<Secret<string>>;
}

export interface HelmfileTemplate {
  readonly name: string;
  readonly text: string;
  /** Folder, relative to the repository, that the template's own paths start from. */
  readonly base: string;
  readonly data: Json;
  readonly place: Place;
  /** As `GoTemplateRequest.areCommandsDeferred`. Default: false, a command is a failure. */
  readonly areCommandsDeferred?: boolean;
}

/** Variables that task runners set around helmfile in these repositories; they point into the repository, so they are known without them. */
const folderVariables: Readonly<Record<string, string>> = {
  ROOT_DIR: '',
  BOOTSTRAP_DIR: 'bootstrap',
  KUBERNETES_DIR: 'kubernetes',
  TALOS_DIR: 'talos',
};

/**
 * Renders a template as helmfile does, with the engine that Helm's charts go through. Commands are not run.
 *
 * Shape: text without `{{` comes back as it is, and loads nothing. Failure: `release/helmfile-template`.
 * Source: helmfile pkg/tmpl
 */
export async function renderHelmfileTemplate(template: HelmfileTemplate, ports: HelmfilePorts): Promise<string> {
  const { name, text, base, data, place, areCommandsDeferred = false } = template;
  if (!text.includes('{{')) return text;
  const root = ports.repository;
  const env: Record<string, string> = {};
  for (const [, variable = ''] of text.matchAll(/(?:requiredEnv|env|expandenv)\s+["`]\$?([A-Za-z_]\w*)/g)) {
    const folder = folderVariables[variable];
    const value = ports.env.get(variable) ?? (folder === undefined ? undefined : posix.join(root, folder));
    if (value !== undefined) env[variable] = value;
  }
  const partials = await helperTemplates(base, ports);
  try {
    return await ports.engine.renderGoTemplate(
      {
        name,
        text,
        data,
        partials,
        env,
        missingKey: 'error',
        areCommandsDeferred,
        files: { base: posix.join(root, base), read: (path) => readInside(path, template, ports) },
      },
      ports.signal,
    );
  } catch (error) {
    if (!hasCode(error, 'go-template/failed')) throw error;
    const { line, problem } = error.failure.facts;
    throw new TkError(
      releaseFailure(
        'release/helmfile-template',
        { file: name, ...(typeof line === 'number' ? { line } : {}), problem: String(problem).replaceAll(`${root}/`, '') },
        { where: place },
      ),
    );
  }
}

/** `_*.tpl` beside a template are there for `include`. */
async function helperTemplates(base: string, { files, repository }: HelmfilePorts): Promise<Readonly<Record<string, string>>> {
  const partials: Record<string, string> = {};
  for (const { name, kind } of await files.list(posix.join(repository, base))) {
    if (kind !== 'file' || !/^_.*\.tpl$/.test(name)) continue;
    partials[name] = (await files.readText(posix.join(repository, base, name))) ?? '';
  }
  return partials;
}

/** Failure: `release/helmfile-template` for anything outside of the repository. */
async function readInside(
  path: string,
  { name, place }: HelmfileTemplate,
  { files, repository }: HelmfilePorts,
): Promise<TemplateFile | undefined> {
  if (path !== repository && !path.startsWith(`${repository}/`)) {
    throw new TkError(
      releaseFailure('release/helmfile-template', { file: name, problem: `\`${path}\` lies outside of the repository` }, { where: place }),
    );
  }
  const stat = await files.stat(path);
  if (stat === undefined) return undefined;
  if (stat.kind === 'directory')
    return { entries: (await files.list(path)).map((entry) => ({ name: entry.name, directory: entry.kind === 'directory' })) };
  const text = await files.readText(path);
  return text === undefined ? undefined : { text };
}
