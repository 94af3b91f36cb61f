import { failureOf, type Clock, TkError } from '../../base/index.ts';
import type { ClusterModel } from '../../config/index.ts';
import { done, notDone, undecidable } from '../../core/index.ts';
import type { KubeReader } from '../../kube/index.ts';
import type { TalosReader } from '../../talos/index.ts';
import type { Connections } from '../connections.ts';
import type { KubeAccess } from '../kube-access.ts';
import { isTransientTalos } from '../transient.ts';
import { withImage } from './config-patch.ts';
import { listNodes, readFacts, resources, specOf } from './facts.ts';
import { kubernetesUpgradeFailure } from './failures.ts';
import { isSameImage } from './images.ts';
import type { KubernetesUpgrade, PartChange } from './kubernetes-upgrade.ts';
import { manifestChanges, type ManifestParts, syncManifests } from './manifests.ts';
import { hopsOf, planKubernetes } from './plan.ts';
import { machineProblems, removedApis } from './problems.ts';
import { rehearse } from './rehearse.ts';
import { firstThatAnswers, follows, othersReady } from './running.ts';
import { refuseWaitingConfig, runningConfig } from './waiting-config.ts';

export interface KubernetesUpgradeParts {
  readonly model: ClusterModel;
  readonly clock: Clock;
  readonly connections: Connections;
  readonly access: KubeAccess;
}

export function createKubernetesUpgrade({ model, clock, connections, access }: KubernetesUpgradeParts): KubernetesUpgrade {
  const controlPlanes = model.nodes.filter((node) => node.role === 'controlplane');
  const read = async <T>(use: (kube: KubeReader) => Promise<T>): Promise<T> => {
    const each = controlPlanes.map((node) => async () => {
      const found = (await access.eachApiServer()).find((server) => server.node === node.name);
      return found?.kube ?? access.reader();
    });
    return firstThatAnswers([() => access.reader(), ...each], use);
  };
  const running = { controlPlanes, connections, read };
  const manifestParts = (): ManifestParts => {
    const [from] = controlPlanes;
    if (from === undefined) throw new Error('a cluster without a control plane passed the validation');
    return { clock, connections, from, reader: () => access.reader(), writer: () => access.writer() };
  };

  return {
    facts: (signal) =>
      readFacts(
        {
          nodes: model.nodes,
          connections,
          async kubeNodes(until) {
            try {
              return await read((kube) => listNodes(kube, until));
            } catch (error) {
              // Without Kubernetes the machines alone tell what they are to run.
              if (error instanceof TkError && !until.aborted) return undefined;
              throw error;
            }
          },
        },
        signal,
      ),
    async problems(facts, to, signal) {
      const found = [...machineProblems(facts, to)];
      for (const { resource, minor } of removedApis(facts.lowest, to)) {
        const objects = await read((kube) => countOf(kube, resource, signal));
        if (objects > 0) found.push(kubernetesUpgradeFailure('upgrade-k8s/api-removed', { resource, objects, minor }));
      }
      return found;
    },
    plan: planKubernetes,
    hops: hopsOf,
    async configured(change, signal) {
      try {
        return await connections.read(change.node, async (machine) => {
          await refuseWaitingConfig(machine, change.node.name, signal);
          const image = await imageOn(machine, change, signal);
          return image !== undefined && isSameImage(image, change.to) ? done(`its config has ${change.to}`, undefined) : notDone(image);
        });
      } catch (error) {
        const failure = failureOf(error);
        if (signal.aborted || !isTransientTalos(failure)) throw error;
        return undecidable(failure.code, `npx tk talos:health NODE=${change.node.name}`);
      }
    },
    follows: (change) => follows(change, running),
    othersReady: (node) => othersReady(node, running),
    rehearse: (plan, signal) => rehearse(plan, connections, signal),
    manifestChanges: (plan, signal) => manifestChanges(plan, manifestParts(), signal),
    pull: ({ node, image, namespace }, signal) => connections.change(node, (machine) => machine.pullImageLegacy(image, signal, namespace)),
    change: (change, signal) =>
      connections.change(change.node, async (machine) => {
        await refuseWaitingConfig(machine, change.node.name, signal);
        const active = await runningConfig(machine, change, signal);
        const text = withImage(active, change.part, change.to, change.node.name);
        if (text === active) return;
        await machine.applyConfiguration({ text }, 'no-reboot', signal);
      }),
    syncManifests: (plan, observe, signal, waiting) => syncManifests(plan, manifestParts(), observe, signal, waiting),
  };
}

/** What the machine runs, or would run, from its active config. */
async function imageOn(machine: TalosReader, { part }: PartChange, signal: AbortSignal): Promise<string | undefined> {
  const spec =
    part === 'kubelet'
      ? await specOf(machine, resources.kubeletSpec, 'kubelet', signal)
      : part === 'kube-proxy'
        ? await specOf(machine, resources.bootstrapManifests, 'manifests', signal)
        : await specOf(machine, resources[part], part, signal);
  const image = spec?.spec[part === 'kube-proxy' ? 'proxyImage' : 'image'];
  return typeof image === 'string' ? image : undefined;
}

/** `workloads.v1alpha2.scheduling.k8s.io`: how many there are; none where the version is not served. */
async function countOf(kube: KubeReader, resource: string, signal: AbortSignal): Promise<number> {
  const [, plural = '', version = '', group = ''] = /^([^.]+)\.([^.]+)\.(.+)$/.exec(resource) ?? [];
  try {
    const text = await kube.read(`/apis/${group}/${version}/${plural}?limit=500`, signal);
    const { items = [], metadata } = JSON.parse(text) as {
      readonly items?: readonly unknown[];
      readonly metadata?: { readonly remainingItemCount?: number };
    };
    return items.length + (metadata?.remainingItemCount ?? 0);
  } catch (error) {
    const failure = failureOf(error);
    if (failure.code === 'kube/not-found' || failure.code === 'kube/kind-not-served') return 0;
    throw error;
  }
}
