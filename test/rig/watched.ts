import { simulate as simulateUnwatched, type SimulatedRepository, type SimulatedRun, type SimulateOptions } from 'talos-tk/testing';
import { type Canary, canariesIn, findCanaries, type Hit, type Output } from './canary.ts';

const bytesOf = (text: string): Uint8Array => Buffer.from(text);

/** Files that hold keys because that is what they are for: secrets, configs, credentials, snapshots. */
const keepsKeys = /(?:\/talsecret[^/]*\.ya?ml|\/clusterconfig\/[^/]+|\/talosconfig|\/kubeconfig|\/\.kube\/config|\/age\.key|\.db)$/;

export interface WatchedRepository extends SimulatedRepository {
  /** Keys of the cluster that stand in anything that was printed or written so far. */
  leaks(): Promise<readonly Hit[]>;
  /** What a test itself has asked to see in the clear. */
  forget(): void;
}

/**
 * `simulate`, with every key of the cluster as a canary: at the end nothing that a run printed, told, planned, journaled or wrote may
 * hold one of them, in any encoding, except the files that are there to keep keys.
 */
export async function simulate(options: SimulateOptions = {}): Promise<WatchedRepository> {
  const rig = await simulateUnwatched(options);
  let outputs: Output[] = [];
  const note = (where: string, value: unknown) =>
    outputs.push({ where, bytes: bytesOf(typeof value === 'string' ? value : (JSON.stringify(value, bigAsText) ?? '')) });
  const tk = async (name: string, params?: object, how?: { readonly yes?: boolean }): Promise<SimulatedRun> => {
    const run = await rig.tk(name, params, how);
    note(`${name}: printed`, run.printed);
    note(`${name}: failures`, [run.text, run.failures]);
    note(`${name}: events`, run.events);
    note(`${name}: value`, valueOf(run));
    return run;
  };
  const leaks = async (): Promise<readonly Hit[]> => {
    const canaries = await canariesOf(rig);
    if (canaries.length === 0) throw new Error('a cluster without a key has no canary');
    const written: Output[] = [];
    for await (const path of pathsBelow(rig, rig.root))
      if (!keepsKeys.test(path)) written.push({ where: path, bytes: (await rig.files.read(path)) ?? new Uint8Array() });
    return findCanaries(canaries, [...outputs, ...written]);
  };
  return {
    ...rig,
    tk,
    plan: async (name, params, mode) => {
      const plan = await rig.plan(name, params, mode);
      note(`${name}: plan`, plan);
      return plan;
    },
    leaks,
    forget() {
      outputs = [];
    },
    async [Symbol.asyncDispose]() {
      const hits = await leaks();
      await rig[Symbol.asyncDispose]();
      if (hits.length > 0) throw new Error(`keys leaked: ${JSON.stringify(hits.slice(0, 20), undefined, 1)}`);
    },
  };
}

const bigAsText = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

/** As `--json` would print it; what has no place in a document is left out there, too. */
function valueOf({ value }: SimulatedRun): unknown {
  try {
    return JSON.parse(JSON.stringify(value ?? null, bigAsText)) as unknown;
  } catch {
    return null;
  }
}

/** The keys in what the repository would generate, and in what lies in it. */
async function canariesOf({ cluster, files, root }: SimulatedRepository): Promise<readonly Canary[]> {
  const found: Canary[] = [];
  for (const node of cluster.nodes.slice(0, 1)) {
    const text = (await cluster.machineConfigs.of(node, new AbortController().signal)).reveal();
    found.push(...canariesIn(node.name, text));
  }
  for (const path of [cluster.model.paths.talosconfig, `${root}/kubeconfig`]) {
    const text = await files.readText(path);
    if (text !== undefined) found.push(...canariesIn(path.split('/').at(-1) ?? path, text));
  }
  return found;
}

async function* pathsBelow(rig: SimulatedRepository, folder: string): AsyncGenerator<string> {
  for (const { name, kind } of await rig.files.list(folder)) {
    if (kind === 'directory') yield* pathsBelow(rig, `${folder}/${name}`);
    else yield `${folder}/${name}`;
  }
}
