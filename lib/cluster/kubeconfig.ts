import { type Clock, type Dial, type Env, type Files, holds, minutes, notYet, seconds, Secret, TkError } from '../base/index.ts';
import type { ClusterModel, NodeModel } from '../config/index.ts';
import {
  apiServerReady,
  createKubeReader,
  isTransient,
  kubeconfigExpiresMs,
  kubeconfigTrusts,
  mergeKubeconfig,
  parseKubeconfig,
  targetOf,
} from '../kube/index.ts';
import type { Kubeconfig } from './cluster.ts';
import type { Connections } from './connections.ts';
import { clusterFailure } from './failures.ts';
import { ensureIgnored } from './git-ignore.ts';
import { apiServerUrl, type KubeAccess } from './kube-access.ts';
import { lazily } from './lazy-condition.ts';
import { isTransientTalos } from './transient.ts';

export interface KubeconfigParts {
  readonly model: ClusterModel;
  readonly files: Files;
  readonly dial: Dial;
  readonly clock: Clock;
  readonly connections: Connections;
  readonly access: KubeAccess;
  readonly kubernetesCa: () => Promise<string | undefined>;
  readonly env: Env;
}

/** A certificate that ends sooner than this is fetched anew. */
const renewBeforeMs = 7 * 86_400_000;

export function createKubeconfig({ model, files, dial, clock, connections, access, kubernetesCa, env }: KubeconfigParts): Kubeconfig {
  const path = model.paths.kubeconfig;
  const controlPlanes = model.nodes.filter((node) => node.role === 'controlplane');

  /** From the first control plane that gives one; never from the floating address. */
  const fetched = async (signal: AbortSignal): Promise<Secret<string>> => {
    let last: unknown;
    for (const node of controlPlanes) {
      try {
        return await connections.read(node, (machine) => machine.kubeconfig(signal));
      } catch (error) {
        if (!(error instanceof TkError) || !isTransientTalos(error.failure)) throw error;
        last = error;
      }
    }
    throw last;
  };
  const checked = async (text: Secret<string>): Promise<ReturnType<typeof parseKubeconfig>> => {
    const parsed = parseKubeconfig(text, { path });
    const ca = await kubernetesCa();
    if (ca !== undefined && !kubeconfigTrusts(parsed, ca))
      throw new TkError(clusterFailure('cluster/kubeconfig-foreign', { path, server: parsed.server }));
    return parsed;
  };

  return {
    async state() {
      const text = await files.readText(path);
      if (text === undefined) return { state: 'missing' };
      let parsed: ReturnType<typeof parseKubeconfig>;
      try {
        parsed = parseKubeconfig(new Secret(text), { path });
      } catch {
        return { state: 'wrong', because: 'it cannot be read' };
      }
      const ca = await kubernetesCa();
      if (ca !== undefined && !kubeconfigTrusts(parsed, ca)) return { state: 'wrong', because: 'it trusts another certificate authority' };
      if (parsed.server !== model.endpoint) return { state: 'wrong', because: `it names ${parsed.server}` };
      const expiresMs = kubeconfigExpiresMs(parsed);
      if (expiresMs !== undefined && expiresMs - clock.now() < renewBeforeMs)
        return { state: 'wrong', because: 'its certificate ends soon' };
      return { state: 'right', server: parsed.server };
    },
    apiServerReady: (node: NodeModel) => {
      const shape = { deadlineMs: minutes(10), intervalMs: seconds(2), see: `npx tk talos:services NODE=${node.name}` };
      const transient = (failure: { readonly code: string; readonly facts: object }) =>
        isTransientTalos(failure as never) || isTransient(failure as never);
      let credentials: Secret<string> | undefined;
      return {
        ...shape,
        description: `the API server on ${node.name}`,
        transient,
        async check(signal) {
          credentials ??= await fetched(signal);
          const config = await checked(credentials);
          const kube = createKubeReader({ dial, clock, target: targetOf(config, apiServerUrl(node.address)) });
          return apiServerReady(kube, shape).check(signal);
        },
      };
    },
    answers: () => {
      const shape = { deadlineMs: minutes(10), intervalMs: seconds(2), transient: isTransient };
      return lazily({ ...shape, description: `the API server at ${model.endpoint}` }, async () => {
        const kube = await access.reader();
        const ready = apiServerReady(kube, shape);
        return {
          ...ready,
          check: async (signal) => {
            const seen = await ready.check(signal);
            return seen.state === 'holds' ? holds(kube.server) : seen.state === 'not-yet' ? notYet(seen.seen) : seen;
          },
        };
      });
    },
    async fetch(signal) {
      const text = await fetched(signal);
      const { server } = await checked(text);
      await ensureIgnored(files, model.paths.root, path);
      await files.write(path, text.reveal(), { mode: 0o600 });
      return { path, server };
    },
    async merge({ activate }) {
      const own = await files.readText(path);
      if (own === undefined) throw new TkError(clusterFailure('cluster/no-kubeconfig', { path }));
      const listed = (env.get('KUBECONFIG') ?? '').split(env.platform === 'win32' ? ';' : ':').filter((one) => one !== '' && one !== path);
      const target = listed[0] ?? `${env.home}/.kube/config`;
      const before = await files.readText(target);
      const existing = before === undefined ? undefined : new Secret(before);
      const merged = mergeKubeconfig(existing, new Secret(own), activate ? { activate } : {}).reveal();
      if (merged === before) return { path: target, isChanged: false };
      await files.write(target, merged, { mode: 0o600 });
      return { path: target, isChanged: true };
    },
  };
}
