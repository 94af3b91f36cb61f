import { count, type Failure, type Files, holds, minutes, type Observation, seconds, TkError } from '../base/index.ts';
import type { ClusterModel } from '../config/index.ts';
import { crdsServed, isTransient, nodesReady, nodesRegistered } from '../kube/index.ts';
import type { BootstrapSecret, Kubernetes } from './cluster.ts';
import { fluxReconciled, requestReconciliation } from './flux.ts';
import type { FluxRoot } from './flux-root.ts';
import type { KubeAccess } from './kube-access.ts';
import { lazily } from './lazy-condition.ts';

export interface KubernetesParts {
  readonly model: ClusterModel;
  readonly files: Files;
  readonly access: KubeAccess;
  readonly secrets: BootstrapSecrets;
  readonly root: FluxRoot;
  now(): number;
}

/** The Secrets that Flux needs before it runs, and how one is applied. */
export interface BootstrapSecrets {
  load(): Promise<readonly BootstrapSecret[]>;
  /** What the last `load` saw and did not take. */
  leftOut(): readonly Failure[];
  apply(secret: BootstrapSecret, signal: AbortSignal): Promise<void>;
}

export function createKubernetes({ model, files, access, secrets, root, now }: KubernetesParts): Kubernetes {
  const names = model.nodes.map((node) => node.name);
  const nodesWait = { deadlineMs: minutes(10), intervalMs: seconds(5), see: 'kubectl get nodes -o wide', transient: isTransient };
  return {
    reader: () => access.reader(),
    writer: () => access.writer(),
    eachApiServer: () => access.eachApiServer(),
    async isReachable(signal) {
      try {
        await (await access.reader()).ready(signal);
        return true;
      } catch (error) {
        if (error instanceof TkError) return false;
        throw error;
      }
    },
    async namespaces() {
      if (model.paths.kubernetes === undefined) return [];
      const entries = await files.list(`${model.paths.kubernetes}/apps`);
      return entries.filter((entry) => entry.kind === 'directory').map((entry) => entry.name);
    },
    async applyNamespace(name, signal) {
      const kube = await access.writer();
      await kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, { fieldManager: 'tk' }, signal);
    },
    bootstrapSecrets: () => secrets.load(),
    secretsLeftOut: () => secrets.leftOut(),
    fluxRoot: (signal) => root.load(signal),
    applyFluxRoot: (object, signal) => root.apply(object, signal),
    applySecret: (secret, signal) => secrets.apply(secret, signal),
    // Before a CNI runs every Node is NotReady: to be registered and to be Ready are two different waits.
    nodesRegistered: () =>
      lazily({ ...nodesWait, description: `${count(names.length, 'node')} to register` }, async () => {
        const condition = nodesRegistered(await access.reader(), names, nodesWait);
        return { ...condition, check: async (signal) => counted(await condition.check(signal)) };
      }),
    nodesReady: () =>
      lazily({ ...nodesWait, description: `${count(names.length, 'node')} to be Ready` }, async () => {
        const condition = nodesReady(await access.reader(), names, nodesWait);
        return { ...condition, check: async (signal) => counted(await condition.check(signal)) };
      }),
    fluxReconciled: () => fluxReconciled(() => access.reader()),
    reconcileFlux: () =>
      fluxReconciled(
        () => access.reader(),
        async (kustomization, signal) => requestReconciliation(await access.writer(), kustomization, now(), signal),
      ),
    crdsServed: (crds) => {
      const options = {
        deadlineMs: minutes(5),
        intervalMs: seconds(2),
        transient: isTransient,
        see: 'kubectl get customresourcedefinitions',
      };
      const description = `${count(crds.length, 'CustomResourceDefinition')} to be served by every API server`;
      return lazily({ ...options, description }, async () => crdsServed(await access.eachApiServer(), crds, options));
    },
  };
}

const counted = (observation: Observation<readonly unknown[]>): Observation<number> =>
  observation.state === 'holds' ? holds(observation.value.length) : observation;
