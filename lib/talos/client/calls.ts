import type { DescMethod, Message } from '../../upstream/index.ts';

/** `/machine.MachineService/Version` → `MachineService/Version` */
export function shortName(method: DescMethod): string {
  return `${method.parent.name}/${method.name}`;
}

const machine = '/machine.MachineService/';

/**
 * Calls that leave a machine as it was. Everything else changes something, or may.
 *
 * Source: Talos internal/app/machined/pkg/system/services/machined.go (what os:reader may call), plus the admin-only reads.
 */
const readingCalls: ReadonlySet<string> = new Set([
  ...[
    'Containers',
    'Copy',
    'CPUFreqStats',
    'CPUInfo',
    'DiskStats',
    'DiskUsage',
    'Dmesg',
    'Events',
    'EtcdMemberList',
    'EtcdStatus',
    'EtcdAlarmList',
    'EtcdSnapshot',
    'EtcdDowngradeValidate',
    'Hostname',
    'ImageList',
    'Kubeconfig',
    'List',
    'LoadAvg',
    'Logs',
    'LogsContainers',
    'Memory',
    'Mounts',
    'Netstat',
    'NetworkDeviceStats',
    'Processes',
    'Read',
    'ServiceList',
    'Stats',
    'SystemStat',
    'Version',
  ].map((name) => `${machine}${name}`),
  '/machine.ImageService/List',
  '/machine.ImageService/Verify',
  '/storage.StorageService/Disks',
  '/cluster.ClusterService/HealthCheck',
  '/inspect.InspectService/ControllerRuntimeDependencies',
  '/time.TimeService/Time',
  '/time.TimeService/TimeCheck',
  '/cosi.resource.State/Get',
  '/cosi.resource.State/List',
  '/cosi.resource.State/Watch',
]);

/** A dry run of ApplyConfiguration is the one call whose message decides. */
export function changesNothing(path: string, request: Message): boolean {
  return readingCalls.has(path) || ('dryRun' in request && request.dryRun === true && path === `${machine}ApplyConfiguration`);
}

const defaultDeadlineMs = 10_000;

/** Milliseconds on the World's clock, connecting included, for calls that take longer than the usual ten seconds. */
const deadlines: Readonly<Record<string, number>> = {
  // Validation and a dry run render the whole config; ≤1.13 decides on a reboot before it answers.
  [`${machine}ApplyConfiguration`]: 60_000,
  // Waits up to 5 s for time sync before it refuses.
  [`${machine}Bootstrap`]: 30_000,
  [`${machine}Kubeconfig`]: 20_000,
  // A quorum read on a slow disk.
  [`${machine}EtcdMemberList`]: 15_000,
  [`${machine}EtcdStatus`]: 15_000,
  [`${machine}EtcdForfeitLeadership`]: 30_000,
  [`${machine}EtcdLeaveCluster`]: 60_000,
  [`${machine}EtcdRemoveMemberByID`]: 30_000,
  [`${machine}EtcdDefragment`]: 300_000,
  [`${machine}EtcdSnapshot`]: 600_000,
  [`${machine}EtcdRecover`]: 600_000,
  // Legacy: pulls and validates the image before it answers.
  [`${machine}Upgrade`]: 900_000,
  [`${machine}ImagePull`]: 900_000,
  [`${machine}ServiceStop`]: 60_000,
  [`${machine}ServiceRestart`]: 60_000,
  '/machine.ImageService/Pull': 900_000,
  '/machine.LifecycleService/Install': 900_000,
  '/machine.LifecycleService/Upgrade': 900_000,
  '/storage.StorageService/BlockDeviceWipe': 300_000,
  '/cluster.ClusterService/HealthCheck': 1_260_000,
};

export function deadlineOf(path: string): number {
  return deadlines[path] ?? defaultDeadlineMs;
}

/** Numbers of google.golang.org/grpc/codes. */
export const statusNames: readonly string[] = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];

export interface StatusRow {
  /** The event that causes it. */
  readonly why: string;
  /** Reading calls: whether a connection that was open before is dialled anew, once, at once. */
  readonly redial: boolean;
  /** Changing calls: whether the machine may have done it nevertheless. */
  readonly mayHaveHappened: boolean;
  /** Whether waiting can help; pollers ask. */
  readonly passes: boolean;
}

/** Status codes that do not mean "the machine looked at it and said no". All others do, and stand. */
export const statusRows: Readonly<Record<number, StatusRow>> = {
  1: {
    why: 'apid restarts when a machine leaves maintenance mode, and drops what it has',
    redial: true,
    mayHaveHappened: true,
    passes: true,
  },
  4: { why: 'apid gave up on a service behind it that is starting or stuck', redial: false, mayHaveHappened: true, passes: true },
  8: { why: 'a message above 32 MiB, or a limit of the machine', redial: false, mayHaveHappened: false, passes: false },
  9: { why: 'too early: CRI, time sync, or another operation that is under way', redial: false, mayHaveHappened: false, passes: true },
  10: { why: 'another call won; the machine kept neither half', redial: false, mayHaveHappened: true, passes: true },
  14: { why: 'the machine reboots, apid restarts, or the network broke', redial: true, mayHaveHappened: true, passes: true },
};

/**
 * What Bootstrap may be asked again for, within the caller's own budget. Anything else stands; a lost reply is not among them,
 * because a second accepted call makes a second cluster: look at the members first.
 *
 * Source: Talos pkg/cluster/bootstrap.go
 */
export const bootstrapRefusalsThatPass: Readonly<Record<string, string>> = {
  'talos/failed-precondition': 'CRI is starting, time is not in sync, or an install has not ended',
  'talos/unreachable': 'apid restarts after the config was applied',
};
