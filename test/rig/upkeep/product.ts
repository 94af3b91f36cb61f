import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as modelDoor from '../../../lib/cli/load-model.ts';
import type * as openDoor from '../../../lib/cli/open-cluster.ts';
import type * as clusterDoor from '../../../lib/cluster/index.ts';
import type * as configDoor from '../../../lib/config/index.ts';
import type * as coreDoor from '../../../lib/core/index.ts';
import { projectRoot } from '../process.ts';

/** The product as one history uses it: the one of this checkout, or one with a planted bug. */
export interface Product {
  readonly core: typeof coreDoor;
  readonly openRepositoryCluster: (typeof openDoor)['openRepositoryCluster'];
  readonly loadModel: (typeof modelDoor)['loadModel'];
  readonly findRepository: (typeof configDoor)['findRepository'];
  readonly settings: () => ReturnType<(typeof clusterDoor)['settingsSchema']['parse']>;
  readonly tasks: ReadonlyMap<string, coreDoor.Task>;
  /** Absent: none. */
  readonly bug?: string;
}

let usual: Promise<Product> | undefined;

/** With a bug's name this needs the loader of `mutants.ts`: modules are loaded once more, as if each had a `?bug=` behind it. */
export function loadProduct(bug?: string): Promise<Product> {
  if (bug === undefined) return (usual ??= load(''));
  return load(`?bug=${bug}`, bug);
}

async function load(suffix: string, bug?: string): Promise<Product> {
  const from = async <M>(path: string) => (await import(`${pathToFileURL(join(projectRoot, path)).href}${suffix}`)) as M;
  const core = await from<Product['core']>('lib/core/index.ts');
  const { openRepositoryCluster } = await from<typeof openDoor>('lib/cli/open-cluster.ts');
  const { loadModel } = await from<typeof modelDoor>('lib/cli/load-model.ts');
  const { findRepository } = await from<typeof configDoor>('lib/config/index.ts');
  const { settingsSchema } = await from<typeof clusterDoor>('lib/cluster/index.ts');
  const tasks = new Map<string, coreDoor.Task>();
  for (const file of await readdir(join(projectRoot, 'tasks'), { recursive: true })) {
    if (!file.endsWith('.ts')) continue;
    const { default: task } = await from<{ readonly default: unknown }>(`tasks/${file}`);
    if (core.isTask(task)) tasks.set(file.slice(0, -3).replaceAll('/', ':'), task);
  }
  return {
    core,
    openRepositoryCluster,
    loadModel,
    findRepository,
    settings: () => settingsSchema.parse({}),
    tasks,
    ...(bug === undefined ? {} : { bug }),
  };
}
