import { gunzipSync } from 'node:zlib';
import { stripControl, TkError } from '../../base/index.ts';
import { filesOfTar } from '../../format/index.ts';
import { commonApi, cosiMetaApi, type DescMethod, fromBinary, machineApi } from '../../upstream/index.ts';
import type { ResourceDefinition } from '../../upstream/tables.ts';
import { shortName } from './calls.ts';
import { talosFailure } from './failures.ts';
import { listResources } from './resources.ts';
import type { Session } from './session.ts';

/** Bytes. `usedBytes` is what neither free memory nor caches hold. */
export interface MemoryUse {
  readonly totalBytes: number;
  readonly usedBytes: number;
  readonly freeBytes: number;
  readonly sharedBytes: number;
  readonly buffersBytes: number;
  readonly cachedBytes: number;
  readonly availableBytes: number;
}

export interface CpuFacts {
  /** Empty where the processor does not tell. */
  readonly model: string;
  /** As the kernel counts them: threads. */
  readonly processors: number;
  readonly load: readonly [one: number, five: number, fifteen: number];
  /** Milliseconds since the epoch. */
  readonly bootedMs: number;
  /** Seconds since boot, all processors together. */
  readonly busySeconds: number;
  readonly idleSeconds: number;
}

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** `R`, `S`, `D`, … */
  readonly state: string;
  readonly threads: number;
  /** Seconds. */
  readonly cpuSeconds: number;
  readonly virtualBytes: number;
  readonly residentBytes: number;
  readonly label: string;
  readonly command: string;
}

export interface Mount {
  readonly filesystem: string;
  readonly mountedOn: string;
  readonly sizeBytes: number;
  readonly availableBytes: number;
}

/** `system` is Talos itself, `kubernetes` what the kubelet runs. */
export type ContainerNamespace = 'system' | 'kubernetes';

export interface Container {
  readonly namespace: string;
  readonly id: string;
  /** Of the pod that it is in; its own id when it is none. */
  readonly podId: string;
  readonly name: string;
  readonly image: string;
  readonly pid: number;
  /** `RUNNING`, `CONTAINER_EXITED`, … */
  readonly status: string;
}

/** One control group. What the kernel does not count for it is absent. */
export interface Cgroup {
  /** Relative to the root, which is empty: `system/apid`. */
  readonly path: string;
  readonly memoryBytes?: number;
  readonly memoryPeakBytes?: number;
  /** Absent: no limit. */
  readonly memoryLimitBytes?: number;
  readonly swapBytes?: number;
  readonly cpuSeconds?: number;
  readonly throttledSeconds?: number;
  readonly processes?: number;
}

/** What a machine tells about its own use: nothing in here changes it. */
export interface SystemReader {
  memory(signal: AbortSignal): Promise<MemoryUse>;
  cpu(signal: AbortSignal): Promise<CpuFacts>;
  /** By pid. */
  processes(signal: AbortSignal): Promise<readonly Process[]>;
  mounts(signal: AbortSignal): Promise<readonly Mount[]>;
  /** By id, so that containers follow the pod that they are in. */
  containers(namespace: ContainerNamespace, signal: AbortSignal): Promise<readonly Container[]>;
  /** From the root down, by path. */
  cgroups(signal: AbortSignal): Promise<readonly Cgroup[]>;
  /** Every type of resource that this machine knows, by type. */
  resourceDefinitions(signal: AbortSignal): Promise<readonly ResourceDefinition[]>;
}

const text = stripControl;
const KiB = 1024;

/** Source: Talos cmd/talosctl/cmd/talos/{memory,processes,mounts,containers,cgroups}.go */
export function systemReaderOver(session: Session): SystemReader {
  const { method } = machineApi.MachineService;
  const at = { node: session.machine.node, address: session.machine.host };
  const only = <T>(messages: readonly T[], call: DescMethod): T => {
    const [message] = messages;
    if (message !== undefined) return message;
    throw new TkError(talosFailure('talos/unexpected-reply', { ...at, method: shortName(call), expected: 'one message' }));
  };
  return {
    async memory(signal) {
      const { meminfo } = only((await session.unary(method.memory, {}, { signal })).messages, method.memory);
      const bytes = (kib: bigint | undefined) => Number(kib ?? 0n) * KiB;
      const [total, free, buffers, cached] = [meminfo?.memtotal, meminfo?.memfree, meminfo?.buffers, meminfo?.cached].map(bytes) as [
        number,
        number,
        number,
        number,
      ];
      return {
        totalBytes: total,
        usedBytes: Math.max(0, total - free - cached - buffers),
        freeBytes: free,
        sharedBytes: bytes(meminfo?.shmem),
        buffersBytes: buffers,
        cachedBytes: cached,
        availableBytes: bytes(meminfo?.memavailable),
      };
    },
    async cpu(signal) {
      const { cpuInfo } = only((await session.unary(method.cPUInfo, {}, { signal })).messages, method.cPUInfo);
      const { load1, load5, load15 } = only((await session.unary(method.loadAvg, {}, { signal })).messages, method.loadAvg);
      const { bootTime, cpuTotal } = only((await session.unary(method.systemStat, {}, { signal })).messages, method.systemStat);
      const { user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softIrq = 0, steal = 0 } = cpuTotal ?? {};
      return {
        model: text(cpuInfo[0]?.modelName ?? ''),
        processors: cpuInfo.length,
        load: [load1, load5, load15],
        bootedMs: Number(bootTime) * 1000,
        busySeconds: user + nice + system + irq + softIrq + steal,
        idleSeconds: idle + iowait,
      };
    },
    async processes(signal) {
      const { processes } = only((await session.unary(method.processes, {}, { signal })).messages, method.processes);
      return processes.map(processOf).sort((a, b) => a.pid - b.pid);
    },
    async mounts(signal) {
      const { stats } = only((await session.unary(method.mounts, {}, { signal })).messages, method.mounts);
      return stats.map((stat) => ({
        filesystem: text(stat.filesystem),
        mountedOn: text(stat.mountedOn),
        sizeBytes: Number(stat.size),
        availableBytes: Number(stat.available),
      }));
    },
    async containers(namespace, signal) {
      const request =
        namespace === 'system'
          ? { namespace: 'system', driver: commonApi.ContainerDriver.CONTAINERD }
          : { namespace: 'k8s.io', driver: commonApi.ContainerDriver.CRI };
      const { containers } = only((await session.unary(method.containers, request, { signal })).messages, method.containers);
      return containers
        .map((one) => ({
          namespace: text(one.namespace),
          id: text(one.id),
          podId: text(one.podId),
          name: text(one.name),
          image: text(one.image),
          pid: one.pid,
          status: text(one.status),
        }))
        .sort((a, b) => (a.id < b.id ? -1 : 1));
    },
    async cgroups(signal) {
      const parts: Uint8Array[] = [];
      for await (const { bytes } of session.stream(method.copy, { rootPath: '/sys/fs/cgroup' }, { signal, deadlineMs: copyDeadlineMs }))
        parts.push(bytes);
      const found = cgroupsOf(Buffer.concat(parts));
      if (found !== undefined) return found;
      throw new TkError(talosFailure('talos/unexpected-reply', { ...at, method: shortName(method.copy), expected: 'an archive of files' }));
    },
    async resourceDefinitions(signal) {
      const found = await listResources(session, { type: 'ResourceDefinitions.meta.cosi.dev', namespace: 'meta' }, { signal });
      return found.map(({ proto }) => definitionOf(fromBinary(cosiMetaApi.ResourceDefinitionSpecSchema, proto)));
    },
  };
}

/** A machine with some hundred pods has tens of thousands of these small files. */
const copyDeadlineMs = 60_000;

function processOf(process: machineApi.ProcessInfo): Process {
  return {
    pid: process.pid,
    parent: process.ppid,
    state: text(process.state),
    threads: process.threads,
    cpuSeconds: process.cpuTime,
    virtualBytes: Number(process.virtualMemory),
    residentBytes: Number(process.residentMemory),
    label: text(process.label),
    command: commandOf(process),
  };
}

/** Kernel threads have no executable; a program may call itself by less than its path. */
function commandOf({ executable, command, args }: machineApi.ProcessInfo): string {
  if (executable === '') return text(command);
  const [called = ''] = args.trim().split(/\s+/);
  const isShort = called !== '' && called === executable.split(' ')[0]?.split('/').at(-1);
  return text(isShort ? args.replace(called, executable) : args || executable).replaceAll('\n', ' ');
}

function definitionOf(spec: cosiMetaApi.ResourceDefinitionSpec): ResourceDefinition {
  return {
    type: text(spec.resourceType),
    displayType: text(spec.displayType),
    namespace: text(spec.defaultNamespace),
    aliases: spec.aliases.map(text),
    allAliases: spec.allAliases.map(text),
    columns: spec.printColumns.map(({ name, jsonPath }) => ({ name: text(name), jsonPath })),
    sensitive: spec.sensitivity === cosiMetaApi.ResourceDefinitionSpec_Sensitivity.SENSITIVE,
  };
}

const largestTreeBytes = 256 * 1024 * 1024;

/**
 * Undefined when it is no such archive.
 *
 * Source: Talos internal/pkg/cgroups (tar.go, cgroups.go): one file a property, under the folder of its group
 */
export function cgroupsOf(archive: Uint8Array): readonly Cgroup[] | undefined {
  let tar: Uint8Array;
  try {
    tar = gunzipSync(archive, { maxOutputLength: largestTreeBytes });
  } catch {
    return undefined;
  }
  const groups = new Map<string, Map<string, string>>();
  for (const { path, content } of filesOfTar(tar)) {
    const clean = path.replace(/^\.?\//, '');
    const slash = clean.lastIndexOf('/');
    const group = slash === -1 ? '' : clean.slice(0, slash);
    const files = groups.get(group) ?? new Map<string, string>();
    files.set(clean.slice(slash + 1), Buffer.from(content).toString('utf8'));
    groups.set(group, files);
  }
  return [...groups].map(([path, files]) => cgroupOf(text(path), files)).sort((a, b) => (a.path < b.path ? -1 : 1));
}

function cgroupOf(path: string, files: ReadonlyMap<string, string>): Cgroup {
  const number = (file: string): number | undefined => {
    const value = files.get(file)?.trim();
    return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
  };
  const stat = (file: string, key: string): number | undefined => {
    const value = new RegExp(`^${key} (\\d+)$`, 'm').exec(files.get(file) ?? '')?.[1];
    return value === undefined ? undefined : Number(value);
  };
  const usage = stat('cpu.stat', 'usage_usec');
  const throttled = stat('cpu.stat', 'throttled_usec');
  const own = (files.get('cgroup.procs') ?? '').split('\n').filter((line) => line !== '').length;
  const facts = {
    memoryBytes: number('memory.current'),
    memoryPeakBytes: number('memory.peak'),
    memoryLimitBytes: number('memory.max'),
    swapBytes: number('memory.swap.current'),
    cpuSeconds: usage === undefined ? undefined : usage / 1e6,
    throttledSeconds: throttled === undefined ? undefined : throttled / 1e6,
    processes: number('pids.current') ?? (files.has('cgroup.procs') ? own : undefined),
  };
  return { path, ...(Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as Omit<Cgroup, 'path'>) };
}
