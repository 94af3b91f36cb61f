import { failureOf, hasCode } from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import { compareVersions, isAtLeast, parseYamlBulk } from '../../format/index.ts';
import type { KubeObject, KubeReader } from '../../kube/index.ts';
import type { TalosReader } from '../../talos/index.ts';
import type { Connections } from '../connections.ts';
import { versionOfImage } from './images.ts';
import {
  type KubernetesFacts,
  type KubernetesPart,
  type NodeKubernetes,
  type PartFacts,
  type StaticPodPart,
  staticPodParts,
  type SurveyedKubernetes,
} from './kubernetes-upgrade.ts';

export interface FactsParts {
  readonly nodes: readonly NodeModel[];
  readonly connections: Connections;
  /** Undefined: no API server answers. */
  readonly kubeNodes: (signal: AbortSignal) => Promise<readonly KubeObject[] | undefined>;
}

/** Resources of a machine that tell of its Kubernetes. Source: Talos pkg/machinery/resources/k8s */
export const resources = {
  'kube-apiserver': { type: 'APIServerConfigs.kubernetes.talos.dev', namespace: 'controlplane' },
  'kube-controller-manager': { type: 'ControllerManagerConfigs.kubernetes.talos.dev', namespace: 'controlplane' },
  'kube-scheduler': { type: 'SchedulerConfigs.kubernetes.talos.dev', namespace: 'controlplane' },
  bootstrapManifests: { type: 'BootstrapManifestsConfigs.kubernetes.talos.dev', namespace: 'controlplane' },
  manifests: { type: 'Manifests.kubernetes.talos.dev', namespace: 'controlplane' },
  staticPods: { type: 'StaticPods.kubernetes.talos.dev', namespace: 'k8s' },
  kubeletSpec: { type: 'KubeletSpecs.kubernetes.talos.dev', namespace: 'k8s' },
} as const;

export interface Fields {
  readonly [key: string]: unknown;
}

export const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
const fieldsAt = (value: unknown, key: string): Fields => {
  const found = isFields(value) ? value[key] : undefined;
  return isFields(found) ? found : {};
};
const textAt = (value: Fields, key: string): string => (typeof value[key] === 'string' ? value[key] : '');
const listAt = (value: unknown, key: string): readonly unknown[] => {
  const found = isFields(value) ? value[key] : undefined;
  return Array.isArray(found) ? found : [];
};

/** A resource's spec and version; undefined when there is none. */
export async function specOf(
  machine: TalosReader,
  type: (typeof resources)[keyof typeof resources],
  id: string,
  signal: AbortSignal,
): Promise<{ readonly version: string; readonly spec: Fields } | undefined> {
  try {
    const { yaml, version } = await machine.get(type, id, signal);
    const [spec] = parseYamlBulk(yaml, { version: 'go' });
    return { version, spec: isFields(spec) ? spec : {} };
  } catch (error) {
    if (hasCode(error, 'talos/not-found')) return undefined;
    throw error;
  }
}

/**
 * The config resource that the static pod's version annotation counts. From 1.14 on pods are made from a second resource, derived
 * from the first: its versions need not be the same.
 * Source: Talos internal/app/machined/pkg/controllers/k8s/control_plane_static_pod.go
 */
export function podConfigReader(part: StaticPodPart) {
  // Which of the two a machine has does not change while one waits for it.
  let known: string | undefined;
  return async (machine: TalosReader, signal: AbortSignal) => {
    for (const id of known === undefined ? [`final-${part}`, part] : [known]) {
      const found = await specOf(machine, resources[part], id, signal);
      if (found === undefined) continue;
      // A machine that has the second one may only not have rendered it yet.
      if (id !== part || !isAtLeast((await machine.version(signal)).tag, 'v1.14.0-alpha.0')) known = id;
      return found;
    }
    known = undefined;
    return undefined;
  };
}

export async function readFacts({ nodes, connections, kubeNodes }: FactsParts, signal: AbortSignal): Promise<KubernetesFacts> {
  const known = await kubeNodes(signal);
  const surveyed = await Promise.all(
    nodes.map(async (node): Promise<SurveyedKubernetes> => {
      try {
        return { state: 'answered', facts: await connections.read(node, (machine) => factsOf(node, machine, known, signal)) };
      } catch (error) {
        if (signal.aborted) throw error;
        return { state: 'silent', node, failure: failureOf(error) };
      }
    }),
  );
  const versions = surveyed.flatMap((one) =>
    one.state === 'answered' && one.facts.node.role === 'controlplane'
      ? Object.entries(one.facts.parts).flatMap(([part, facts]) =>
          part === 'kubelet' || facts.version === undefined ? [] : [facts.version],
        )
      : [],
  );
  const [lowest] = versions.sort(compareVersions);
  return { nodes: surveyed, ...(lowest === undefined ? {} : { lowest }) };
}

async function factsOf(
  node: NodeModel,
  machine: TalosReader,
  known: readonly KubeObject[] | undefined,
  signal: AbortSignal,
): Promise<NodeKubernetes> {
  const { tag } = await machine.version(signal);
  const parts: Partial<Record<KubernetesPart, PartFacts>> = {};
  if (node.role === 'controlplane') {
    for (const part of staticPodParts) {
      const config = await specOf(machine, resources[part], part, signal);
      // A part that is switched off has a config all the same, which says so.
      if (config === undefined || config.spec['enabled'] === false) continue;
      const pod = await specOf(machine, resources.staticPods, part, signal);
      const [container] = listAt(fieldsAt(pod?.spec, 'spec'), 'containers');
      parts[part] = partOf(textAt(config.spec, 'image'), listAt(container, 'command'));
    }
    const manifests = await specOf(machine, resources.bootstrapManifests, 'manifests', signal);
    const proxyImage = manifests === undefined ? '' : textAt(manifests.spec, 'proxyImage');
    if (manifests?.spec['proxyEnabled'] === true && proxyImage !== '') parts['kube-proxy'] = partOf(proxyImage, []);
  }
  const kubelet = await specOf(machine, resources.kubeletSpec, 'kubelet', signal);
  if (kubelet !== undefined) parts.kubelet = partOf(textAt(kubelet.spec, 'image'), listAt(kubelet.spec, 'args'));
  const runs = known && kubeletVersionOf(known, node);
  return {
    node,
    talosVersion: tag,
    parts,
    kubeletFeatureGates: Object.keys(fieldsAt(fieldsAt(kubelet?.spec, 'config'), 'featureGates')),
    ...(runs === undefined ? {} : { kubeletRuns: runs }),
  };
}

function partOf(image: string, command: readonly unknown[]): PartFacts {
  const version = versionOfImage(image);
  const flags = command.map(String).filter((word) => word.startsWith('--'));
  return { image, ...(version === undefined ? {} : { version }), flags };
}

/** The Node of this machine: by address, because nothing obliges it to carry the machine's name. */
export function kubeNodeOf(known: readonly KubeObject[], node: NodeModel): KubeObject | undefined {
  return known.find((candidate) =>
    listAt(fieldsAt(candidate, 'status'), 'addresses').some((one) => isFields(one) && node.addresses.includes(textAt(one, 'address'))),
  );
}

export function kubeletVersionOf(known: readonly KubeObject[], node: NodeModel): string | undefined {
  const found = kubeNodeOf(known, node);
  const version = textAt(fieldsAt(fieldsAt(found, 'status'), 'nodeInfo'), 'kubeletVersion');
  return version === '' ? undefined : version;
}

export const listNodes = async (kube: KubeReader, signal: AbortSignal): Promise<readonly KubeObject[]> =>
  (await kube.list({ apiVersion: 'v1', kind: 'Node' }, {}, signal)).items;
