import { gzipSync } from 'node:zlib';
import { packTar } from '../../../format/index.ts';
import { commonApi, machineApi } from '../../../upstream/index.ts';
import type { SimKernel } from '../../kernel.ts';
import type { Machine } from '../machine.ts';
import { type BoundMethod, refuse, streaming, unary } from './call.ts';

const { method } = machineApi.MachineService;
const MiB = 1024 * 1024;
const threads = 4;

/** What runs on a machine by itself, and the group that it is put into. Source: Talos pkg/machinery/constants (Cgroup*) */
const programs: Readonly<Record<string, { readonly cgroup: string; readonly executable: string; readonly megabytes: number }>> = {
  machined: { cgroup: 'init', executable: '/sbin/init', megabytes: 110 },
  udevd: { cgroup: 'system/udevd', executable: '/usr/bin/systemd-udevd', megabytes: 14 },
  containerd: { cgroup: 'system/runtime', executable: '/bin/containerd', megabytes: 52 },
  apid: { cgroup: 'system/apid', executable: '/apid', megabytes: 38 },
  trustd: { cgroup: 'system/trustd', executable: '/trustd', megabytes: 21 },
  dashboard: { cgroup: 'system/dashboard', executable: '/sbin/dashboard', megabytes: 60 },
  cri: { cgroup: 'podruntime/runtime', executable: '/bin/containerd', megabytes: 90 },
  etcd: { cgroup: 'podruntime/etcd', executable: '/usr/local/bin/etcd', megabytes: 180 },
  kubelet: { cgroup: 'podruntime/kubelet', executable: '/usr/local/bin/kubelet', megabytes: 120 },
};

/**
 * What a machine tells about its own use. Figures follow from what the model knows to be running, the rest is a quiet machine's.
 *
 * Source: Talos internal/app/machined/internal/server/v1alpha1/{v1alpha1_server.go,v1alpha1_monitoring.go}, pkg/archiver
 */
export const systemMethods: readonly BoundMethod[] = [
  unary(method.systemStat, ({ machine, kernel }) => {
    const upSeconds = upMs(machine, kernel) / 1000;
    const busy = upSeconds * threads * 0.05;
    return {
      messages: [
        {
          bootTime: BigInt(Math.floor((kernel.clock.now() - upMs(machine, kernel)) / 1000)),
          cpuTotal: { user: busy * 0.7, system: busy * 0.3, idle: upSeconds * threads - busy },
        },
      ],
    };
  }),
  unary(method.cPUInfo, () => ({
    messages: [
      {
        cpuInfo: Array.from({ length: threads }, (_, processor) => ({
          processor,
          vendorId: 'GenuineIntel',
          modelName: 'Simulated N100',
          cpuMhz: 2800,
          cpuCores: threads,
          siblings: threads,
          coreId: String(processor),
        })),
      },
    ],
  })),
  unary(method.loadAvg, () => ({ messages: [{ load1: 0.21, load5: 0.18, load15: 0.15 }] })),
  unary(method.processes, ({ machine, kernel }) => ({
    messages: [
      {
        processes: [
          { pid: 2, ppid: 0, state: 'S', threads: 1, cpuTime: 0.01, command: 'kthreadd' },
          ...running(machine).map(({ id, executable, megabytes }, index) => ({
            pid: id === 'machined' ? 1 : 1000 + index,
            ppid: id === 'machined' ? 0 : 1,
            state: 'S',
            threads: 12,
            cpuTime: upMs(machine, kernel) / 100_000,
            virtualMemory: BigInt(megabytes * 12 * MiB),
            residentMemory: BigInt(megabytes * MiB),
            command: executable.split('/').at(-1) ?? '',
            executable,
            args: executable,
          })),
        ],
      },
    ],
  })),
  unary(method.mounts, ({ machine }) => {
    const disk = machine.spec.disks.find(({ path }) => path === machine.get('installed')?.disk);
    const data = disk === undefined ? [] : [{ filesystem: `${disk.path}p4`, sizeBytes: disk.sizeBytes - 2_300_000_000, mountedOn: '/var' }];
    return {
      messages: [
        {
          stats: [
            { filesystem: '/dev/loop0', sizeBytes: 80 * MiB, mountedOn: '/' },
            { filesystem: 'tmpfs', sizeBytes: 64 * MiB, mountedOn: '/run' },
            ...data,
          ].map(({ filesystem, sizeBytes, mountedOn }) => ({
            filesystem,
            size: BigInt(sizeBytes),
            available: mountedOn === '/' ? 0n : BigInt(Math.floor(sizeBytes * 0.8)),
            mountedOn,
          })),
        },
      ],
    };
  }),
  unary(method.containers, ({ machine }, { namespace, driver }) => {
    if (driver === commonApi.ContainerDriver.CRI) return { messages: [{ containers: kubernetesContainers(machine) }] };
    // etcd and the kubelet run in the other containerd.
    const containers = ['apid', 'trustd']
      .filter((id) => running(machine).some((one) => one.id === id))
      .map((id, index) => ({
        namespace,
        id,
        podId: id,
        name: id,
        image: `talos/${id}`,
        pid: 1100 + index,
        status: 'RUNNING',
      }));
    return { messages: [{ containers }] };
  }),
  streaming(method.copy, async function* ({ machine, kernel }, { rootPath }) {
    const entries =
      rootPath === '/sys/fs/cgroup' ? cgroupFiles(machine, kernel) : rootPath === '/sys/dev/block' ? blockDevices(machine) : undefined;
    if (entries === undefined) throw refuse('notFound', `lstat ${rootPath}: no such file or directory`);
    yield { bytes: gzipSync(packTar(entries)) };
  }),
];

const upMs = (machine: Machine, { clock }: SimKernel): number => clock.monotonicMs() - (machine.get('boot')?.startedAtMs ?? 0);

const running = (machine: Machine) =>
  Object.entries(programs)
    .filter(([id]) => machine.service(id)?.state === 'Running')
    .map(([id, program]) => ({ id, ...program }));

function kubernetesContainers(machine: Machine) {
  if (machine.get('static-pods') !== true) return [];
  return ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].flatMap((name, index) => {
    const podId = `kube-system/${name}-${machine.hostname()}`;
    const common = { namespace: 'k8s.io', podId, pid: 3000 + 2 * index };
    return [
      { ...common, id: podId, name: podId, image: 'registry.k8s.io/pause:3.10', status: 'SANDBOX_READY' },
      {
        ...common,
        id: `${podId}:${name}:${'0'.repeat(12)}`,
        name,
        pid: common.pid + 1,
        image: `registry.k8s.io/${name}:${machine.config()?.kubernetesVersion ?? ''}`,
        status: 'CONTAINER_RUNNING',
      },
    ];
  });
}

/** `259:0` is a link into the tree of devices, which ends with the device's name. */
const blockDevices = (machine: Machine) =>
  machine.spec.disks.map(({ path }, index) => ({
    path: `${path.includes('nvme') ? 259 : 8}:${index * 16}`,
    content: '',
    linkTo: `../../devices/pci0000:00/block/${path.replace('/dev/', '')}`,
  }));

/** One file a property, as the kernel shows them; a group holds what its groups hold. */
function cgroupFiles(machine: Machine, kernel: SimKernel) {
  const used = new Map<string, { memory: number; processes: number }>();
  for (const { cgroup, megabytes } of running(machine)) {
    const parts = cgroup.split('/');
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const path = parts.slice(0, depth).join('/');
      const before = used.get(path) ?? { memory: 0, processes: 0 };
      used.set(path, { memory: before.memory + megabytes * MiB, processes: before.processes + 12 });
    }
  }
  const usec = upMs(machine, kernel) * 50;
  return [
    { path: 'cpu.stat', content: `usage_usec ${usec * 4}\nuser_usec ${usec * 3}\nsystem_usec ${usec}\n` },
    ...[...used].flatMap(([path, { memory, processes }]) => [
      { path: `${path}/cgroup.procs`, content: path.includes('/') || path === 'init' ? '1000\n' : '' },
      { path: `${path}/memory.current`, content: `${memory}\n` },
      { path: `${path}/memory.peak`, content: `${Math.round(memory * 1.2)}\n` },
      { path: `${path}/memory.max`, content: 'max\n' },
      { path: `${path}/memory.swap.current`, content: '0\n' },
      { path: `${path}/pids.current`, content: `${processes}\n` },
      { path: `${path}/cpu.stat`, content: `usage_usec ${usec}\nuser_usec ${usec}\nsystem_usec 0\nnr_throttled 0\nthrottled_usec 0\n` },
    ]),
  ];
}
