import { join } from 'node:path';
import type { Redactor, World } from '../base/index.ts';
import type { Cluster, ClusterView } from '../cluster/index.ts';
import type { ClusterModel } from '../config/index.ts';
import type { Log, Shell } from '../core/index.ts';
import { loadSettings } from './settings.ts';

/** A repository that tasks can work on, real or as a sandbox. */
export interface OpenedRepository {
  readonly root: string;
  /** The machine's own World, or the sandbox's. */
  readonly world: World;
  readonly cluster: { readonly view: ClusterView; readonly full: Cluster };
  readonly stateDirectory: string;
  /** What intents in the journal belong to. */
  readonly identity: string;
  readonly about: string;
  shell(log: Log): Shell;
  shownPath(path: string): string;
  /** What a person should know after the run: what was made up, what stood in for something else. */
  notes(): readonly string[];
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly world: World;
  readonly redactor: Redactor;
  readonly directory: string;
  readonly isExactDirectory: boolean;
  readonly isSandbox: boolean;
}

/**
 * Finds and reads the repository.
 *
 * Failure: `config/*` with every problem of the inputs at once, `usage/config-file`.
 */
export async function openRepository(options: OpenOptions): Promise<OpenedRepository> {
  const { findRepository } = await import('../config/index.ts');
  const repository = await findRepository(options.world.files, options.directory, { exactly: options.isExactDirectory });
  const settings = await loadSettings(repository);
  const { version } = await import('./version.ts');
  const { loadModel } = await import('./load-model.ts');
  const { openRepositoryCluster } = await import('./open-cluster.ts');
  const { createShell } = await import('./shell.ts');
  const sandbox = options.isSandbox
    ? await (await import('./sandbox/open.ts')).openSandboxWorld({ world: options.world, repository })
    : undefined;
  const world = sandbox?.world ?? options.world;
  const model = sandbox?.model ?? (await loadModel(world, repository));
  const stateDirectory = options.isSandbox ? join(repository.root, '.tk/sim') : join(repository.root, '.tk');
  const cluster = await openRepositoryCluster({
    world,
    model,
    settings,
    ...(sandbox === undefined ? {} : { vault: sandbox.vault }),
    isSandbox: options.isSandbox,
    cacheDirectory: join(stateDirectory, 'cache'),
  });
  return {
    root: repository.root,
    world,
    cluster,
    stateDirectory,
    identity: cluster.identity,
    about: aboutOf(version, model, options.isSandbox),
    shell: (log) => createShell({ model, log, isSandbox: options.isSandbox, directory: stateDirectory }),
    shownPath: (path) => (path.startsWith(`${repository.root}/`) ? path.slice(repository.root.length + 1) : path),
    notes: () => (sandbox === undefined ? [] : sandboxNotes(sandbox.standIns())),
    close: async () => sandbox?.close(),
  };
}

function aboutOf(version: string, model: ClusterModel, isSandbox: boolean): string {
  const nodes = `${model.nodes.length} ${isSandbox ? 'simulated ' : ''}node${model.nodes.length === 1 ? '' : 's'}`;
  return `tk ${version} · ${model.name} · ${isSandbox ? 'sandbox: ' : ''}${nodes}, Talos ${model.talosVersion}, Kubernetes ${model.kubernetesVersion}`;
}

function sandboxNotes(standIns: readonly string[]): readonly string[] {
  if (standIns.length === 0) return [];
  return [` Stand-ins: ${standIns.join(', ')} (no chart of that name in the sandbox; one Deployment each)`];
}
