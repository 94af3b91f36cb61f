import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Files, throwIfAny } from '../../base/index.ts';
import { makejinjaPlugin, type PlannedFile, renderTree, type TemplateData } from '../../render/index.ts';
import { defaultKubernetes, newestTalos } from '../../upstream/tables.ts';
import { packageRoot } from '../tasks/place.ts';
import { version } from '../version.ts';
import type { NewRepository } from './questions.ts';

/** Everything that a new repository begins with, relative to its root; nothing in it is secret. */
export async function renderRepository(files: Files, repository: NewRepository, recipient: string): Promise<readonly PlannedFile[]> {
  const { nodes, ...rest } = repository;
  const manifest = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8')) as {
    readonly devDependencies?: Readonly<Record<string, string>>;
  };
  const data = {
    ...rest,
    nodes,
    talos_version: newestTalos,
    kubernetes_version: defaultKubernetes[newestTalos.replace(/^v/, '').split('.').slice(0, 2).join('.')] ?? '',
    sops_age_recipients: [recipient],
    tk_version: version,
    node_version: manifest.devDependencies?.['node'] ?? '24',
  };
  const rendered = await renderTree({
    files,
    inputs: [join(packageRoot, 'templates/repository')],
    data: data as unknown as TemplateData,
    engine: { dialect: 'makejinja', undefined: 'strict', ...makejinjaPlugin({ environment: {}, nthHost: () => false }) },
  });
  if (rendered.state === 'failed') throwIfAny(rendered.failures);
  const begun = rendered.state === 'rendered' ? rendered.outputs : [];
  return [...begun, ...(await templates(files, join(packageRoot, 'templates/config'), 'templates/config'))];
}

/** Patches of the reference cluster's own nodes are left out. */
const isShared = (path: string): boolean => !/\/talos\/patches\/(?!(?:global|controller|worker)\/)[^/]+\//.test(path);

/** The templates themselves go into the repository: from then on they are its own. */
async function templates(files: Files, folder: string, path: string): Promise<readonly PlannedFile[]> {
  const found: PlannedFile[] = [];
  for (const { name, kind } of await files.list(folder)) {
    const source = join(folder, name);
    if (kind === 'directory') found.push(...(await templates(files, source, `${path}/${name}`)));
    else if (isShared(`${path}/${name}`))
      found.push({ path: `${path}/${name}`, content: (await files.read(source)) ?? '', mode: 0o644, source });
  }
  return found;
}
