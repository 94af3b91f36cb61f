import { join } from 'node:path';
import { type Dial, type Env, type Failure, failureOf, hasCode, type HttpHandler, type World } from '../../base/index.ts';
import type { Vault } from '../../cluster/index.ts';
import type { ClusterModel, Repository } from '../../config/index.ts';
import { createHostWorld } from '../../host/index.ts';
import { ChartCache } from '../../kube/index.ts';
import {
  attachSandbox,
  createFactory,
  createRegistry,
  factoryHost,
  type FluxModel,
  openSandbox,
  type SandboxEndpoint,
} from '../../sim/index.ts';
import { checkForNode } from '../../talos/machine-config.ts';
import { loadModel } from '../load-model.ts';
import { createVault } from '../vault.ts';
import { pinnedCharts } from './pinned-charts.ts';
import { simulatedKube } from './kube.ts';
import { overlayFiles } from './overlay-files.ts';
import { encryptedFiles, plantSecrets, sandboxIdentity, withRecipient } from './secrets.ts';
import { sandboxSpecOf } from './spec.ts';
import { withMadeUpVariables } from './variables.ts';

/** What real clusters have and a sandbox had to make up. */
export interface StandIns {
  /** Charts that the registry does not have. */
  readonly charts: readonly string[];
  /** Kinds that nothing in the sandbox defines: `RecurringJob.longhorn.io`. */
  readonly kinds: readonly string[];
  /** Addresses that Flux would have fetched something from. */
  readonly absent: readonly string[];
  /** Variables that the inputs use and nobody has set. */
  readonly variables: readonly string[];
}

const nothingStoodIn: FluxModel = { standIns: () => [], absent: () => [] };

export interface SandboxWorld {
  readonly world: World;
  readonly model: ClusterModel;
  /** Its clock jumps to whatever comes next; false where it follows the real one. */
  readonly jumpsInTime: boolean;
  /** Where the simulated machines listen in truth. */
  endpoints(): readonly SandboxEndpoint[];
  /** Its own key alone opens, and everything is encrypted for it. */
  readonly vault: Vault;
  /** What this process made up; nothing when another process keeps the sandbox. */
  standIns(): StandIns;
  /** Why the simulated machines could not keep what they did, and answered nonsense since: the disk is full, the folder is read-only. */
  brokenBy(): Failure | undefined;
  close(): Promise<void>;
}

export interface SandboxWorldOptions {
  readonly world: World;
  readonly repository: Repository;
  /** `follow` keeps the sandbox for other processes and never uses one that is kept already. Default: `jump`. */
  readonly time?: 'jump' | 'follow';
  /** How many times faster than the real clock, with `follow`. Default 1. */
  readonly speed?: number;
  /** Put over the files of every World in it: a plan keeps in memory what the sandbox would write. */
  readonly layer?: (files: World['files']) => World['files'];
}

/** Every registry and chart repository of the internet is this one machine; the request's own host name stays in its header. */
export const registryHost = 'registry.sandbox';

/** What is real about a repository and must not be seen by a simulation: credentials and generated configs. */
const isHidden = (path: string): boolean =>
  path === 'kubeconfig' ||
  path === 'talosconfig' ||
  path.endsWith('/talosconfig') ||
  /(?:^|\/)age\.key$/.test(path) ||
  /(?:^|\/)clusterconfig(?:\/|$)/.test(path) ||
  /(?:^|\/)clusters\/[^/]+\/talos\/generated(?:\/|$)/.test(path) ||
  /\.sops\.(?:ya?ml|json|env|ini)$/.test(path);

export const sandboxDirectory = (root: string): string => join(root, '.tk/sim');

/** The machines' own state. Overlay, keys and journals of runs lie beside it. */
export const clusterDirectory = (root: string): string => join(sandboxDirectory(root), 'cluster');

/** Lies there while `sim:up` keeps the sandbox: one that a task has open for itself has a clock that jumps, and is not for others. */
export const keptMark = (root: string): string => join(sandboxDirectory(root), 'kept');

/**
 * The repository as a sandbox: its machines are simulated behind real sockets, its files are a layer over the real ones that takes
 * every write, and nothing else is dialled.
 */
export async function openSandboxWorld(options: SandboxWorldOptions): Promise<SandboxWorld> {
  const { world, repository, time = 'jump' } = options;
  const directory = sandboxDirectory(repository.root);
  const encrypted = await encryptedFiles(world.files, repository.root);
  const hides = (path: string) => isHidden(path) || encrypted.includes(path);
  const over = (files: World['files'], hidesToo = (_path: string) => false) =>
    overlayFiles({ files, root: repository.root, layer: join(directory, 'repo'), hides: (path) => hides(path) || hidesToo(path) });
  if ((await world.files.stat(join(directory, '.gitignore'))) === undefined) await world.files.write(join(directory, '.gitignore'), '*\n');
  const identity = await sandboxIdentity(world, join(directory, 'age.key'));
  const layered = over(world.files);
  await plantSecrets({ world, root: repository.root, layered, encrypted, identity, ledger: join(directory, 'secrets.json') });
  const loaded = await withMadeUpVariables(sandboxEnv(world.env, directory), (env) =>
    loadModel({ ...world, files: layered, env }, repository),
  );
  const { value: model, env, names: variables } = loaded;
  const mark = keptMark(repository.root);
  const inside = (simulated: World): World => ({
    ...simulated,
    // The sandbox's Git server has what lies here under commits of its own: none of them is the one that is checked out.
    files: over(simulated.files, (path) => path === '.git/HEAD'),
    dial: throughRegistry(simulated.dial),
    env,
  });
  const vaultOf = (inner: World) => createVault(inner, repository.root, (rules) => withRecipient(rules, identity.recipient));
  const isKept = time === 'jump' && (await world.files.stat(mark)) !== undefined;
  const attached = isKept ? await attachSandbox(world, clusterDirectory(repository.root)) : undefined;
  if (attached) {
    const inner = inside(attached.world);
    return {
      world: inner,
      model,
      vault: vaultOf(inner),
      jumpsInTime: false,
      endpoints: () => attached.endpoints,
      standIns: () => ({ charts: [], kinds: [], absent: [], variables }),
      brokenBy: () => undefined,
      close: async () => {},
    };
  }
  let charts: () => readonly string[] = () => [];
  let flux: FluxModel = nothingStoodIn;
  let brokenBy: Failure | undefined;
  const sandbox = await openSandbox({
    world: { ...world, files: tellingWhyNot(world.files, (failure) => (brokenBy ??= failure)) },
    bind: (clock) => {
      const bound = createHostWorld({ clock });
      return options.layer === undefined ? bound : { ...bound, files: options.layer(bound.files) };
    },
    directory: clusterDirectory(repository.root),
    spec: sandboxSpecOf(model),
    time,
    ...(options.speed === undefined ? {} : { speed: options.speed }),
    hooks: {
      // What a machine of this version says about a config, in its own words.
      checkConfig: (text, version) => {
        const refusal = checkForNode(text, version);
        return { errors: refusal === undefined ? [] : [refusal], warnings: [] };
      },
      kube: (kernel, host) => {
        const simulated = simulatedKube(kernel, host, over(world.files), repository.root, () => charts());
        flux = simulated.flux;
        return simulated;
      },
      mounts: (kernel) => {
        const pulledBefore = new ChartCache(world.files, join(repository.root, '.tk/cache/charts'));
        const registry = createRegistry({
          clock: kernel.clock,
          fault: (point, facts) => kernel.fault(point, facts),
          listed: () => pinnedCharts(over(world.files), repository.root),
          cached: (chart, version) => pulledBefore.archive(chart, version),
        });
        charts = registry.standIns;
        const factory = createFactory({ fault: (point, facts) => kernel.fault(point, facts) });
        const handler: HttpHandler = (request) =>
          request.headers['host'] === factoryHost && !request.path.startsWith('/v2/')
            ? factory.handler(request)
            : registry.handler(request);
        return [{ host: registryHost, port: 443, handler }];
      },
    },
  });
  // The sandbox is locked now: a mark that a killed process left behind is nobody's.
  if (time === 'follow') await world.files.write(mark, '');
  else await world.files.remove(mark);
  const inner = inside(sandbox.world);
  return {
    world: inner,
    model,
    vault: vaultOf(inner),
    jumpsInTime: time === 'jump',
    endpoints: sandbox.endpoints,
    standIns: () => ({ charts: charts(), kinds: flux.standIns(), absent: flux.absent(), variables }),
    brokenBy: () => brokenBy,
    close: async () => {
      if (time === 'follow') await world.files.remove(mark);
      await sandbox.close();
    },
  };
}

/** The same files, where somebody is told why an append to one of them failed. */
function tellingWhyNot(files: World['files'], tell: (failure: Failure) => void): World['files'] {
  const telling = async <T>(work: Promise<T>): Promise<T> => {
    work.catch((error: unknown) => tell(failureOf(error)));
    return work;
  };
  return {
    ...files,
    append: async (path, options) => {
      const file = await telling(files.append(path, options));
      return { write: (text, how) => telling(file.write(text, how)), close: () => file.close() };
    },
  };
}

/** Hosts that are no machine of this cluster are registries; whatever else would be dialled is refused. */
export function throughRegistry(dial: Dial): Dial {
  return {
    talos: (target, signal) => dial.talos(target, signal),
    async http(request) {
      try {
        return await dial.http(request);
      } catch (error) {
        const isName = /[a-z]/i.test(request.target.host) && !request.target.host.includes(':');
        if (!isName || request.target.port !== 443 || !hasCode(error, 'host/dial') || error.failure.facts['reason'] !== 'not-allowed')
          throw error;
        return dial.http({
          ...request,
          target: { ...request.target, host: registryHost },
          headers: { host: request.target.host, ...request.headers },
        });
      }
    },
  };
}

/** The person's own keys, configs and registries are not this sandbox's. */
function sandboxEnv(env: Env, directory: string): Env {
  const own: Readonly<Record<string, string | undefined>> = {
    SOPS_AGE_KEY_FILE: join(directory, 'age.key'),
    HOME: join(directory, 'home'),
  };
  const hidden = new Set([
    'KUBECONFIG',
    'TALOSCONFIG',
    'SOPS_AGE_KEY',
    'SOPS_AGE_KEY_CMD',
    'DOCKER_CONFIG',
    'HELM_REGISTRY_CONFIG',
    'XDG_CONFIG_HOME',
    'HELM_CONFIG_HOME',
  ]);
  return {
    get: (name) => (Object.hasOwn(own, name) ? own[name] : hidden.has(name) ? undefined : env.get(name)),
    home: join(directory, 'home'),
    platform: env.platform,
  };
}
