import { join } from 'node:path';
import { type Failure, type Files, type Redactor, TkError, type World } from '../base/index.ts';
import type { Cluster, ClusterView, OpenedCluster, Settings } from '../cluster/index.ts';
import type { ClusterModel, Repository } from '../config/index.ts';
import type { Log, Shell } from '../core/index.ts';
import { expectManyFiles, expectShortWork } from '../host/index.ts';
import { loadSettings } from './settings.ts';
import type { StandIns } from './sandbox/open.ts';

/** A repository that tasks can work on, real or as a sandbox. */
export interface OpenedRepository {
  readonly root: string;
  /** The machine's own World, or the sandbox's. */
  readonly world: World;
  readonly settings: Settings;
  readonly cluster: { readonly view: ClusterView; readonly full: Cluster };
  readonly stateDirectory: string;
  /** What intents in the journal belong to. */
  readonly identity: string;
  readonly about: string;
  shell(log: Log, signal: AbortSignal): Shell;
  /**
   * In a plan: makes what `configure` would write visible to everything else that is planned. Changes nothing but memory. What is
   * wrong with it is told where `configure` is planned.
   */
  renderAhead(signal: AbortSignal): Promise<void>;
  shownPath(path: string): string;
  /** What a person should know after the run: what was made up, what stood in for something else. */
  notes(): readonly string[];
  /** As in `SandboxWorld`; false for real machines. */
  readonly jumpsInTime: boolean;
  /** As in `SandboxWorld`. */
  brokenBy(): Failure | undefined;
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly world: World;
  readonly redactor: Redactor;
  readonly directory: string;
  readonly isExactDirectory: boolean;
  /** Absolute; named with --talconfig. */
  readonly talconfig?: string;
  readonly isSandbox: boolean;
  /** Where a recording of the exchanges goes, absolute, and the words of the command. */
  readonly record?: { readonly directory: string; readonly command: string };
  /** Whether only a plan is made: then everything that would be written stays in memory. */
  readonly isPlan: boolean;
}

/**
 * Finds and reads the repository.
 *
 * Failure: `config/*` with every problem of the inputs at once, `usage/config-file`.
 */
export async function openRepository(options: OpenOptions): Promise<OpenedRepository> {
  const { findRepository } = await import('../config/index.ts');
  const scratch = options.isPlan ? (await import('./scratch-files.ts')).createScratchFiles : undefined;
  const inMemory = scratch?.(() => options.world.clock.now());
  const host = inMemory === undefined ? options.world : { ...options.world, files: inMemory.over(options.world.files) };
  const repository = await findRepository(host.files, options.directory, {
    exactly: options.isExactDirectory,
    ...(options.talconfig === undefined ? {} : { talconfig: options.talconfig }),
  });
  const settings = await loadSettings(repository);
  const sandbox = options.isSandbox
    ? await (await import('./sandbox/open.ts')).openSandboxWorld({
        world: host,
        repository,
        ...(inMemory === undefined ? {} : { layer: inMemory.over }),
      })
    : undefined;
  try {
    const world = sandbox?.world ?? host;
    if (!options.isSandbox && (await hasManyNodes(host.files, repository))) expectShortWork();
    const model = sandbox?.model ?? (await (await import('./load-model.ts')).loadModel(world, repository));
    if (model.nodes.length > manyNodes && !options.isSandbox) expectManyFiles();
    const stateDirectory = options.isSandbox ? join(repository.root, '.tk/sim') : join(repository.root, '.tk');
    const { openRepositoryCluster } = await import('./open-cluster.ts');
    const openOver = (over: World) =>
      openRepositoryCluster({
        world: over,
        model,
        settings,
        ...(sandbox === undefined ? {} : { vault: sandbox.vault }),
        isSandbox: options.isSandbox,
        cacheDirectory: join(stateDirectory, 'cache'),
        redactor: options.redactor,
      });
    const { version } = await import('./version.ts');
    let secrets = async (): Promise<readonly string[]> => [];
    const recording =
      options.record &&
      (await (
        await import('./record/open-recording.ts')
      ).openRecording({
        // It lies where the user said, also beside a sandbox.
        world: { ...world, files: options.world.files },
        version,
        ...options.record,
        secrets: () => secrets(),
      }));
    const heard = recording === undefined ? world : { ...world, dial: recording.dial };
    const asItLies = await openOver(heard);
    if (recording !== undefined) {
      const { knownSecrets } = await import('./record/known-secrets.ts');
      secrets = () => knownSecrets(asItLies, world.files);
    }
    // A plan compares the repository as it lies with what `configure` would make of it, and plans the rest with the latter.
    const ahead = scratch && (await openOver({ ...heard, files: scratch(() => world.clock.now()).over(world.files) }));
    const cluster = ahead === undefined ? asItLies : { ...ahead, view: { ...ahead.view, configuration: asItLies.view.configuration } };
    const { createShell } = await import('./shell.ts');
    return {
      root: repository.root,
      world,
      settings,
      cluster,
      stateDirectory,
      identity: cluster.identity,
      about: aboutOf(version, model, options.isSandbox),
      renderAhead: async (signal) => ahead && renderInto(ahead, signal),
      shell: (log, signal) => createShell({ model, log, signal, isSandbox: options.isSandbox, directory: stateDirectory }),
      shownPath: (path) => (path.startsWith(`${repository.root}/`) ? path.slice(repository.root.length + 1) : path),
      notes: () => [
        ...(sandbox === undefined ? [] : sandboxNotes(sandbox.standIns())),
        ...(recording === undefined ? [] : [` Recording: ${recording.path} (without keys; look before you share it)`]),
      ],
      jumpsInTime: sandbox?.jumpsInTime ?? false,
      brokenBy: () => sandbox?.brokenBy(),
      close: async () => {
        await recording?.close();
        await sandbox?.close();
      },
    };
  } catch (error) {
    // Its sockets would keep the process alive.
    await sandbox?.close();
    throw error;
  }
}

const manyNodes = 50;
/** As large as a talconfig gets with so many. */
const manyNodesBytes = 16 * 1024;

/** By the size of a talconfig: to read it is the first part of the work. */
async function hasManyNodes(files: Files, { root, source }: Repository): Promise<boolean> {
  const found = source.kind === 'talconfig.yaml' ? await files.stat(join(root, source.path)) : undefined;
  return (found?.sizeBytes ?? 0) > manyNodesBytes;
}

async function renderInto({ full }: OpenedCluster, signal: AbortSignal): Promise<void> {
  try {
    await full.configuration.apply(await full.configuration.plan(signal), signal);
  } catch (error) {
    if (!(error instanceof TkError)) throw error;
  }
}

function aboutOf(version: string, model: ClusterModel, isSandbox: boolean): string {
  const nodes = `${model.nodes.length} ${isSandbox ? 'simulated ' : ''}node${model.nodes.length === 1 ? '' : 's'}`;
  return `tk ${version} · ${model.name} · ${isSandbox ? 'sandbox: ' : ''}${nodes}, Talos ${model.talosVersion}, Kubernetes ${model.kubernetesVersion}`;
}

function sandboxNotes({ charts, kinds, absent, variables }: StandIns): readonly string[] {
  const line = (label: string, names: readonly string[], why: string) =>
    names.length === 0 ? [] : [` ${label} ${names.join(', ')} (${why})`];
  return [
    ...line('Stand-ins:', charts, 'no chart of that name in the sandbox; one Deployment each'),
    ...line('Kinds:    ', kinds, 'nothing in the sandbox defines them; any field is taken'),
    ...line('Left out: ', absent, 'nothing outside of the sandbox is fetched'),
    ...line('Variables:', variables, 'not set; the sandbox made values up'),
  ];
}
