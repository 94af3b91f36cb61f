import { createHash } from 'node:crypto';
import { type EndState, type InitialFile, type SimulatedKube, type TalosModel } from '../../../lib/sim/index.ts';

/** All that is left when a history is over, without the accidents of the way: ids, times, keys, names of pods. */
export interface RestState {
  readonly cluster: EndState;
  /** By name of the machine: what its configuration says. */
  readonly configs: Readonly<Record<string, string>>;
  /** By path in the repository, without the runs' own folder: mode and content, content only where no key is in it. */
  readonly files: Readonly<Record<string, string>>;
  /** By kind and name: a digest of what was wanted of each object. */
  readonly objects: Readonly<Record<string, string>>;
}

interface Parts {
  readonly cluster: EndState;
  readonly files: Readonly<Record<string, InitialFile>>;
  readonly talos: TalosModel;
  readonly kube: SimulatedKube | undefined;
  readonly root: string;
}

/** Made by controllers under names or with contents of the moment. */
const passing =
  /^(?:\/pods|\/events|events\.k8s\.io|coordination\.k8s\.io|discovery\.k8s\.io|apps\/replicasets|apps\/controllerrevisions|\/endpoints)/;

export function restOf({ cluster, files, talos, kube, root }: Parts): RestState {
  const objects: Record<string, string> = {};
  const store = kube?.state.kernel.store;
  for (const key of store?.keys('kube/objects/') ?? []) {
    const name = key.slice('kube/objects/'.length);
    if (passing.test(name)) continue;
    const {
      status: _,
      metadata: __,
      data: ___,
      stringData: ____,
      ...wanted
    } = (store?.get<{ readonly [part: string]: string }>(key) ?? {}) as Record<string, unknown>;
    objects[name] = digest(wanted);
  }
  const shown: Record<string, string> = {};
  for (const [path, file] of Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!path.startsWith(`${root}/`) || path.startsWith(`${root}/.tk/`)) continue;
    const text = typeof file === 'string' ? file : Buffer.from(file.content).toString('utf8');
    const mode = typeof file === 'string' ? 0o644 : file.mode;
    shown[path.slice(root.length + 1)] =
      `${mode.toString(8)} ${/-----BEGIN|LS0tLS1CRUdJT|AGE-SECRET-KEY|^certs:/m.test(text) ? 'keys' : digest(text)}`;
  }
  return {
    cluster,
    configs: Object.fromEntries(talos.machines.map((machine) => [machine.name, configOf(machine.config())])),
    files: shown,
    objects,
  };
}

function configOf(view: object | undefined): string {
  return JSON.stringify(view ?? null, (key, value: unknown) =>
    /^(?:osCa|kubernetesCa|etcdCa|token|clusterId)$/.test(key) ? undefined : value,
  );
}

const digest = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);

/** In words; empty when both came to the same. */
export function restDifferences(wanted: RestState, found: RestState): readonly string[] {
  const differences: string[] = [];
  const compare = (what: string, a: object, b: object) => {
    const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)]))
      if (JSON.stringify(left[key]) !== JSON.stringify(right[key]))
        differences.push(`${what} ${key}: ${JSON.stringify(right[key]) ?? 'nothing'} instead of ${JSON.stringify(left[key]) ?? 'nothing'}`);
  };
  compare('cluster', wanted.cluster, found.cluster);
  compare('configuration', wanted.configs, found.configs);
  compare('file', wanted.files, found.files);
  compare('object', wanted.objects, found.objects);
  return differences;
}
