import { type Condition, holds, minutes, notYet, seconds } from '../base/index.ts';
import type { ClusterModel, NodeModel } from '../config/index.ts';
import { type TalosReader, talosResourceTypes } from '../talos/index.ts';
import { definitions, fromBinary, machineApi } from '../upstream/index.ts';
import type { Health, HealthAnswer } from './cluster.ts';
import type { Connections } from './connections.ts';
import * as kubernetes from './health-kubernetes.ts';
import type { KubeAccess } from './kube-access.ts';
import { isTransientTalos } from './transient.ts';

export interface HealthParts {
  readonly model: ClusterModel;
  readonly connections: Connections;
  readonly access: KubeAccess;
  /** Whether something brings a container network. Without one no node becomes Ready, and two checks are skipped. */
  readonly hasCni: () => Promise<boolean>;
}

/** What is wrong, in words; undefined: nothing. */
export type Check = (signal: AbortSignal) => Promise<string | HealthAnswer | undefined>;

const ok: HealthAnswer = { state: 'ok' };
export const skipped = (because: string): HealthAnswer => ({ state: 'skipped', because });

const MiB = 2 ** 20;

/** Bytes of memory below which Talos complains. Source: Talos pkg/minimal/limits.go */
const leastMemory = { controlplane: (1848 - 150) * MiB, worker: (1024 - 150) * MiB } as const;

/** A disk of 6 GiB without the EFI, STATE and META partitions and the partition table. Source: Talos pkg/cluster/check/nodes.go, quirks/partitions.go */
const leastEphemeral = (6 * 1024 - (100 + 1 + 2000) - 100 - 1 - 10) * MiB;

/** Source: Talos pkg/cluster/check/default.go at v1.14; order, names and intervals are upstream's. */
export function createHealth({ model, connections, access, hasCni }: HealthParts): Health {
  const { nodes } = model;
  const controlPlanes = nodes.filter((node) => node.role === 'controlplane');
  const ofEach = async (
    list: readonly NodeModel[],
    ask: (machine: TalosReader, node: NodeModel) => Promise<string | undefined>,
  ): Promise<string | undefined> => {
    const problems = await Promise.all(list.map((node) => connections.read(node, (machine) => ask(machine, node))));
    return problems.find((problem) => problem !== undefined);
  };
  const serviceHealthy = (service: string, signal: AbortSignal) =>
    ofEach(controlPlanes, async (machine, node) => {
      const found = (await machine.services(signal)).find((candidate) => candidate.id === service);
      const last = found?.events.at(-1);
      if (!found || !last) return `${node.name}: no events recorded yet for ${service}`;
      if (found.state !== 'Running') return `${node.name}: ${service} is ${found.state}: ${last.message}`;
      return found.health === 'healthy' ? undefined : `${node.name}: ${service} is not healthy`;
    });
  const membersOn = (node: NodeModel, signal: AbortSignal) =>
    connections.read(node, (machine) => machine.etcdMembers({ queryLocal: true }, signal));
  const withoutCni = async (check: Check, signal: AbortSignal) =>
    (await hasCni()) ? check(signal) : skipped('the cluster has no container network yet');
  const kube = () => access.reader();

  const list: readonly (readonly [string, Check, number?])[] = [
    ['etcd to be healthy', (signal) => serviceHealthy('etcd', signal)],
    [
      'etcd members to be consistent across nodes',
      async (signal) => {
        const views = await Promise.all(
          controlPlanes.map(async (node) =>
            (await membersOn(node, signal))
              .map((member) => member.hostname)
              .sort()
              .join(' '),
          ),
        );
        const [first, ...others] = views;
        return others.every((view) => view === first) ? undefined : `control planes see different members: ${views.join(' / ')}`;
      },
    ],
    [
      'etcd members to be control plane nodes',
      async (signal) => {
        const [first] = controlPlanes;
        const members = first ? (await membersOn(first, signal)).map((member) => member.hostname) : [];
        const wanted = controlPlanes.map((node) => String(node.name));
        const wrong = [...members.filter((member) => !wanted.includes(member)), ...wanted.filter((name) => !members.includes(name))];
        return wrong.length === 0 ? undefined : `etcd has ${members.join(' ')}, the control planes are ${wanted.join(' ')}`;
      },
    ],
    ['apid to be ready', (signal) => ofEach(nodes, async (machine) => void (await machine.version(signal)))],
    [
      'all nodes memory sizes',
      (signal) =>
        ofEach(nodes, async (machine, node) => {
          const bytes = await memoryOf(machine, signal);
          return bytes >= leastMemory[node.role] ? undefined : `${node.name} has ${Math.floor(bytes / MiB)} MiB of memory`;
        }),
    ],
    [
      'all nodes disk sizes',
      (signal) =>
        ofEach(nodes, async (machine, node) => {
          const volume = await machine.get(talosResourceTypes.volumeStatuses, 'EPHEMERAL', signal);
          const { size } = fromBinary(definitions.block.VolumeStatusSpecSchema, volume.proto);
          return Number(size) >= leastEphemeral
            ? undefined
            : `the EPHEMERAL volume of ${node.name} has ${Math.floor(Number(size) / MiB)} MiB`;
        }),
    ],
    [
      'no diagnostics',
      (signal) =>
        ofEach(nodes, async (machine, node) => {
          const [first] = await machine.list(talosResourceTypes.diagnostics, signal);
          return first ? `${node.name}: ${first.id}` : undefined;
        }),
    ],
    ['kubelet to be healthy', (signal) => serviceHealthy('kubelet', signal)],
    [
      'all nodes to finish boot sequence',
      (signal) =>
        ofEach(nodes, async (machine, node) => {
          const { stage } = await machine.machineStatus(signal);
          return stage === 'running' ? undefined : `${node.name} is ${stage}`;
        }),
    ],
    ['all k8s nodes to report', async (signal) => kubernetes.allReport(await kube(), nodes, signal), seconds(30)],
    ['all control plane static pods to be running', async (signal) => kubernetes.staticPodsRun(await kube(), controlPlanes, signal)],
    ['all control plane components to be ready', async (signal) => kubernetes.componentsReady(await kube(), controlPlanes, signal)],
    ['all k8s nodes to report ready', (signal) => withoutCni(async () => kubernetes.allReady(await kube(), signal), signal)],
    ['kube-proxy to report ready', async (signal) => kubernetes.daemonSetReady(await kube(), 'k8s-app=kube-proxy', signal)],
    [
      'coredns to report ready',
      (signal) => withoutCni(async () => kubernetes.deploymentReady(await kube(), 'k8s-app=kube-dns', signal), signal),
    ],
    ['all k8s nodes to report schedulable', async (signal) => kubernetes.allSchedulable(await kube(), signal)],
  ];
  return { checks: () => list.map(([description, check, intervalMs]) => conditionOfCheck(description, check, intervalMs ?? seconds(5))) };
}

function conditionOfCheck(description: string, check: Check, intervalMs: number): Condition<HealthAnswer> {
  return {
    description,
    deadlineMs: minutes(20),
    intervalMs,
    see: 'npx tk bootstrap:verify',
    transient: (failure) => isTransientTalos(failure) || failure.code.startsWith('kube/'),
    async check(signal) {
      const problem = await check(signal);
      if (problem === undefined) return holds(ok);
      return typeof problem === 'string' ? notYet(problem) : holds(problem);
    },
  };
}

async function memoryOf(machine: TalosReader, signal: AbortSignal): Promise<number> {
  for await (const reply of machine.ask(machineApi.MachineService.method.memory, {}, signal)) {
    return Number(reply.messages[0]?.meminfo?.memtotal ?? 0) * 1024;
  }
  return 0;
}
