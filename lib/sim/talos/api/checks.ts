import { clusterApi, inspectApi, storageApi, timeApi, timestampFromMs } from '../../../upstream/index.ts';
import type { Machine } from '../machine.ts';
import { type ApiCall, type BoundMethod, refuse, streaming, unary } from './call.ts';
import { controlPlaneOnly } from './etcd.ts';
import { serviceOf } from './machine.ts';

const { SSD, HDD, NVME, SD } = storageApi.Disk_DiskType;
const diskTypes = { nvme: NVME, sata: SSD, virtio: SSD, usb: SSD, mmc: SD } as const;

/** Disks, clock and the server-side health check. Source: Talos internal/app/storaged, timed; pkg/cluster/check/default.go */
export const checkMethods: readonly BoundMethod[] = [
  unary(storageApi.StorageService.method.disks, ({ machine }) => ({
    messages: [
      {
        disks: machine.spec.disks.map((disk) => ({
          size: BigInt(disk.sizeBytes),
          model: disk.model,
          deviceName: disk.path,
          serial: disk.serial,
          wwid: disk.wwid ?? '',
          type: disk.rotational ? HDD : diskTypes[disk.transport],
          busPath: disk.busPath ?? '',
          systemDisk: machine.get('installed')?.disk === disk.path,
          subsystem: '/sys/class/block',
        })),
      },
    ],
  })),
  unary(storageApi.StorageService.method.blockDeviceWipe, ({ machine }, request) => {
    const names = request.devices.map(({ device }) => `/dev/${device.replace('/dev/', '')}`);
    const used = names.find((name) => name === machine.get('installed')?.disk);
    if (used) throw refuse('failedPrecondition', `blockdevice "${used}" is in use by volume "EPHEMERAL"`);
    return { messages: [{}] };
  }),
  // The controllers of the resources that this simulation fills, and what they read.
  unary(inspectApi.InspectService.method.controllerRuntimeDependencies, () => ({
    messages: [
      {
        edges: [
          {
            controllerName: 'runtime.MachineStatusController',
            edgeType: inspectApi.DependencyEdgeType.OUTPUT_EXCLUSIVE,
            resourceNamespace: 'runtime',
            resourceType: 'MachineStatuses.runtime.talos.dev',
          },
          {
            controllerName: 'k8s.NodeStatusController',
            edgeType: inspectApi.DependencyEdgeType.OUTPUT_EXCLUSIVE,
            resourceNamespace: 'k8s',
            resourceType: 'NodeStatuses.kubernetes.talos.dev',
          },
        ],
      },
    ],
  })),
  unary(timeApi.TimeService.method.time, (api) => ({ messages: [clockOf(api, 'time.cloudflare.com')] })),
  unary(timeApi.TimeService.method.timeCheck, (api, request) => ({ messages: [clockOf(api, request.server)] })),
  streaming(clusterApi.ClusterService.method.healthCheck, async function* (api, request) {
    controlPlaneOnly(api.machine, 'health check');
    const nodes = api.machines.filter((machine) => machine.get('api') === 'configured');
    yield { message: `discovered nodes: ["${nodes.map(({ spec }) => spec.address).join('" "')}"]` };
    const deadlineMs = api.kernel.clock.monotonicMs() + (request.waitTimeout ? Number(request.waitTimeout.seconds) * 1000 : 1_200_000);
    for (const check of checks) {
      const title = `waiting for ${check.name}:`;
      yield { message: `${title} ...` };
      for (let last = ''; ; ) {
        const problem = check.problem(api, nodes);
        if (problem === undefined || problem === skipped) {
          yield { message: `${title} ${problem === skipped ? 'SKIP' : 'OK'}` };
          break;
        }
        if (problem !== last) yield { message: `${title} ${problem}` };
        last = problem;
        if (api.kernel.clock.monotonicMs() >= deadlineMs) throw refuse('deadlineExceeded', 'healthcheck error: context deadline exceeded');
        await api.kernel.changed(api.signal);
      }
    }
  }),
];

function clockOf({ machine, kernel }: ApiCall, server: string) {
  const skewMs = Number(kernel.fault('talos/clock', { node: machine.name })?.facts.skewMs ?? 0);
  return { server, localtime: timestampFromMs(kernel.clock.now() + skewMs), remotetime: timestampFromMs(kernel.clock.now()) };
}

const skipped = 'skipped';

interface Check {
  readonly name: string;
  /** What is still wrong; undefined when it holds. */
  problem(api: ApiCall, nodes: readonly Machine[]): string | undefined;
}

const controlPlanes = (nodes: readonly Machine[]) => nodes.filter((machine) => machine.config()?.role === 'controlplane');
const addresses = (nodes: readonly Machine[]) => nodes.map(({ spec }) => spec.address).join(', ');
const those = (nodes: readonly Machine[], bad: (machine: Machine) => boolean, say: string): string | undefined => {
  const found = nodes.filter(bad);
  return found.length > 0 ? `${addresses(found)}: ${say}` : undefined;
};
const serviceDown = (api: ApiCall, machine: Machine, id: string) =>
  !machine.service(id) || !serviceOf({ etcd: api.etcd, machine }, id).health.healthy;

const checks: readonly Check[] = [
  {
    name: 'etcd to be healthy',
    problem: (api, nodes) => those(controlPlanes(nodes), (machine) => serviceDown(api, machine, 'etcd'), 'service is not healthy: etcd'),
  },
  {
    name: 'etcd members to be consistent across nodes',
    problem: (api, nodes) =>
      new Set(controlPlanes(nodes).map((machine) => machine.get('etcd')?.cluster)).size > 1 ? 'etcd members are not consistent' : undefined,
  },
  {
    name: 'etcd members to be control plane nodes',
    problem: (api, nodes) =>
      (api.etcd.clusterOf(api.machine)?.members.length ?? 0) === controlPlanes(nodes).length
        ? undefined
        : 'etcd member ips are not subset of control plane node ips',
  },
  { name: 'apid to be ready', problem: (api, nodes) => those(nodes, (machine) => serviceDown(api, machine, 'apid'), 'apid is not ready') },
  { name: 'all nodes memory sizes', problem: () => undefined },
  { name: 'all nodes disk sizes', problem: () => undefined },
  { name: 'no diagnostics', problem: () => undefined },
  {
    name: 'kubelet to be healthy',
    problem: (api, nodes) => those(nodes, (machine) => serviceDown(api, machine, 'kubelet'), 'service is not healthy: kubelet'),
  },
  {
    name: 'all nodes to finish boot sequence',
    problem: (_api, nodes) => those(nodes, (machine) => machine.get('stage') !== 'running', 'expected machine stage running'),
  },
  {
    name: 'all k8s nodes to report',
    problem: (api, nodes) => those(nodes, (machine) => api.kube()?.nodeReady(machine.hostname()) === undefined, "can't find expected node"),
  },
  {
    name: 'all control plane static pods to be running',
    problem: (_api, nodes) => those(controlPlanes(nodes), (machine) => machine.get('static-pods') !== true, 'missing static pods'),
  },
  {
    name: 'all control plane components to be ready',
    problem: (_api, nodes) => those(controlPlanes(nodes), (machine) => machine.get('static-pods') !== true, 'components are not ready'),
  },
  {
    name: 'all k8s nodes to report ready',
    problem: (api, nodes) =>
      api.machine.config()?.cni === 'none'
        ? skipped
        : those(nodes, (machine) => api.kube()?.nodeReady(machine.hostname()) !== true, 'node is not ready'),
  },
  { name: 'kube-proxy to report ready', problem: (api) => (api.machine.config()?.kubeProxy ? undefined : skipped) },
  {
    name: 'coredns to report ready',
    problem: (api) => (api.machine.config()?.cni === 'none' || !api.machine.config()?.coreDns ? skipped : undefined),
  },
  { name: 'all k8s nodes to report schedulable', problem: () => undefined },
];
