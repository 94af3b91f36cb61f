import { type Condition, holds, minutes, notYet, seconds, TkError } from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import { conditionOf, isNodeReady, isTransient, type KubeObject, type KubeReader, podTrouble } from '../../kube/index.ts';
import type { Connections } from '../connections.ts';
import { isTransientTalos } from '../transient.ts';
import { kubeNodeOf, listNodes, podConfigReader, resources, specOf } from './facts.ts';
import { isSameImage, versionOfImage } from './images.ts';
import { type PartChange, type StaticPodPart, staticPodParts } from './kubernetes-upgrade.ts';

export interface RunningParts {
  readonly controlPlanes: readonly NodeModel[];
  readonly connections: Connections;
  /** Any API server that answers: the one behind the endpoint may be the one that starts anew. */
  readonly read: <T>(use: (kube: KubeReader) => Promise<T>) => Promise<T>;
}

/** Talos writes it into each static pod. Source: pkg/machinery/constants AnnotationStaticPodConfigVersion */
const configVersion = 'talos.dev/config-version';

const transient = (failure: Parameters<typeof isTransientTalos>[0]): boolean => isTransientTalos(failure) || isTransient(failure);
const podKind = { apiVersion: 'v1', kind: 'Pod' } as const;

/**
 * What runs is what the config asks for. Both are polled, and compared by what cannot be mistaken: the version of the config that the
 * pod was made from, the version that the kubelet itself reports. An event that nobody saw is not missed.
 */
export function follows(change: PartChange, parts: RunningParts): Condition<string> {
  const { node, part, to } = change;
  switch (part) {
    case 'kube-apiserver':
    case 'kube-controller-manager':
    case 'kube-scheduler': {
      const configOf = podConfigReader(part);
      return {
        description: `${part} of ${node.name} to run ${versionOfImage(to) ?? to}`,
        deadlineMs: minutes(10),
        intervalMs: seconds(2),
        see: `kubectl -n kube-system describe pod ${part}-${node.name}`,
        transient,
        check: (signal) => podFollows({ node, part, image: to, configOf }, parts, signal),
      };
    }
    case 'kube-proxy':
      return {
        description: `${node.name} to render kube-proxy ${versionOfImage(to) ?? to}`,
        deadlineMs: minutes(2),
        intervalMs: seconds(1),
        transient,
        check: (signal) =>
          parts.connections.read(node, async (machine) => {
            const image = (await specOf(machine, resources.bootstrapManifests, 'manifests', signal))?.spec['proxyImage'];
            return typeof image === 'string' && isSameImage(image, to) ? holds(image) : notYet(`still ${String(image)}`);
          }),
      };
    case 'kubelet':
      return {
        description: `the kubelet of ${node.name} to run ${versionOfImage(to) ?? to}`,
        deadlineMs: minutes(10),
        intervalMs: seconds(2),
        see: `npx tk talos:logs NODE=${node.name} SERVICE=kubelet`,
        transient,
        check: (signal) => kubeletFollows(node, to, parts, signal),
      };
  }
}

interface WantedPod {
  readonly node: NodeModel;
  readonly part: StaticPodPart;
  readonly image: string;
  readonly configOf: ReturnType<typeof podConfigReader>;
}

async function podFollows({ node, part, image, configOf }: WantedPod, { connections, read }: RunningParts, signal: AbortSignal) {
  const config = await connections.read(node, (machine) => configOf(machine, signal));
  if (config === undefined) return notYet('its config is not rendered');
  const wanted = String(config.spec['image']);
  if (!isSameImage(wanted, image)) return notYet(`its config still asks for ${wanted}`);
  const pods = await read((kube) => kube.list(podKind, { namespace: 'kube-system', labelSelector: `k8s-app=${part}` }, signal));
  const pod = pods.items.find((candidate) => isOn(candidate, node));
  if (pod === undefined) return notYet('there is no pod');
  const made = pod.metadata.annotations?.[configVersion];
  if (made !== config.version) return notYet(`the pod is of config ${made ?? 'unknown'}, not ${config.version}`);
  const runs = imageOf(pod, part);
  if (runs === undefined || !isSameImage(runs, image)) return notYet(`the pod runs ${runs ?? 'nothing'}`);
  if (pod.metadata.deletionTimestamp !== undefined) return notYet('the pod is ending');
  return conditionOf(pod, 'Ready')?.status === 'True' ? holds(image) : notYet(podTrouble(pod) ?? 'the pod is not ready');
}

async function kubeletFollows(node: NodeModel, image: string, { connections, read }: RunningParts, signal: AbortSignal) {
  const service = await connections.read(node, async (machine) => {
    const spec = await specOf(machine, resources.kubeletSpec, 'kubelet', signal);
    const wanted = String(spec?.spec['image']);
    if (!isSameImage(wanted, image)) return `its config still asks for ${wanted}`;
    const found = (await machine.services(signal)).find(({ id }) => id === 'kubelet');
    if (found?.state !== 'Running')
      return found === undefined ? 'it was not started' : `${found.state}: ${found.events.at(-1)?.message ?? ''}`;
    return found.health === 'healthy' ? undefined : 'it runs and is not healthy yet';
  });
  if (service !== undefined) return notYet(service);
  const kubeNode = kubeNodeOf(await read((kube) => listNodes(kube, signal)), node);
  if (kubeNode === undefined) return notYet('the node is not registered');
  const runs = kubeletVersionIn(kubeNode);
  // What was healthy a moment ago may be the process that is about to be stopped: only the version that it reports tells.
  if (runs !== versionOfImage(image)) return notYet(`the node reports ${runs ?? 'nothing'}`);
  return isNodeReady(kubeNode) ? holds(image) : notYet('the node is not Ready');
}

/** Every static pod of every other control plane is Ready, so that Kubernetes goes on while one of them starts anew. */
export function othersReady(node: NodeModel, { controlPlanes, read }: RunningParts): Condition<number> {
  const others = controlPlanes.filter(({ name }) => name !== node.name);
  return {
    description: `the other control planes than ${node.name}`,
    deadlineMs: minutes(5),
    intervalMs: seconds(2),
    see: 'kubectl -n kube-system get pods -l tier=control-plane -o wide',
    transient,
    async check(signal) {
      if (others.length === 0) return holds(0);
      const pods = await read((kube) => kube.list(podKind, { namespace: 'kube-system', labelSelector: 'tier=control-plane' }, signal));
      for (const other of others)
        for (const part of staticPodParts) {
          const pod = pods.items.find((candidate) => isOn(candidate, other) && candidate.metadata.labels?.['k8s-app'] === part);
          // A part that is switched off has no pod anywhere.
          if (pod === undefined && part !== 'kube-apiserver') continue;
          if (pod === undefined || conditionOf(pod, 'Ready')?.status !== 'True') return notYet(`${part} of ${other.name} is not ready`);
        }
      return holds(others.length);
    },
  };
}

function isOn(pod: KubeObject, node: NodeModel): boolean {
  const { hostIP } = (pod['status'] ?? {}) as { readonly hostIP?: string };
  const { nodeName } = (pod['spec'] ?? {}) as { readonly nodeName?: string };
  return hostIP === undefined ? nodeName === node.name : node.addresses.includes(hostIP);
}

function imageOf(pod: KubeObject, container: string): string | undefined {
  const { containers = [] } = (pod['spec'] ?? {}) as {
    readonly containers?: readonly { readonly name: string; readonly image?: string }[];
  };
  return containers.find(({ name }) => name === container)?.image;
}

function kubeletVersionIn(node: KubeObject): string | undefined {
  return (node['status'] as { readonly nodeInfo?: { readonly kubeletVersion?: string } } | undefined)?.nodeInfo?.kubeletVersion;
}

/** Tries the API server of the kubeconfig, then each control plane's own. Failure: that of the first. */
export async function firstThatAnswers<T>(
  servers: readonly (() => Promise<KubeReader>)[],
  use: (kube: KubeReader) => Promise<T>,
): Promise<T> {
  let first: unknown;
  for (const server of servers) {
    try {
      return await use(await server());
    } catch (error) {
      if (!(error instanceof TkError) || !isTransient(error.failure)) throw error;
      first ??= error;
    }
  }
  throw first;
}
