const admin = 'os:admin';
const operator = 'os:operator';
const reader = 'os:reader';
const backup = 'os:etcd:backup';

const readers = [admin, operator, reader];
const operators = [admin, operator];

/**
 * Who may call what; a method that is not listed is for administrators.
 * Source: Talos internal/app/machined/pkg/system/services/machined.go
 */
const allowed: Readonly<Record<string, readonly string[]>> = {
  '/machine.MachineService/ApplyConfiguration': [admin, reader],
  ...table('/machine.MachineService/', operators, [
    'EtcdAlarmDisarm',
    'EtcdDefragment',
    'ImagePull',
    'PacketCapture',
    'Reboot',
    'Restart',
    'ServiceRestart',
    'ServiceStart',
    'ServiceStop',
    'Shutdown',
  ]),
  ...table('/machine.MachineService/', readers, [
    'CPUFreqStats',
    'CPUInfo',
    'Containers',
    'DiskStats',
    'DiskUsage',
    'Dmesg',
    'Events',
    'Hostname',
    'ImageList',
    'List',
    'LoadAvg',
    'Logs',
    'LogsContainers',
    'Memory',
    'Mounts',
    'Netstat',
    'NetworkDeviceStats',
    'Processes',
    'ServiceList',
    'Stats',
    'SystemStat',
    'Version',
  ]),
  ...table('/machine.MachineService/', [...readers, backup], ['EtcdAlarmList', 'EtcdMemberList', 'EtcdStatus']),
  '/machine.MachineService/EtcdSnapshot': [admin, operator, backup],
  '/machine.MachineService/MetaWrite': [admin, 'os:meta:writer'],
  '/machine.MachineService/MetaDelete': [admin, 'os:meta:writer'],
  '/machine.ImageService/List': readers,
  '/machine.ImageService/Pull': operators,
  '/machine.ImageService/Verify': [...readers, 'os:image:verifier'],
  '/storage.StorageService/Disks': readers,
  '/storage.StorageService/BlockDeviceWipe': [admin, reader],
  '/cluster.ClusterService/HealthCheck': readers,
  '/inspect.InspectService/ControllerRuntimeDependencies': readers,
  '/time.TimeService/Time': readers,
  '/time.TimeService/TimeCheck': readers,
  ...table('/cosi.resource.State/', readers, ['Get', 'List', 'Watch']),
};

export function mayCall(path: string, roles: ReadonlySet<string>): boolean {
  return (allowed[path] ?? [admin]).some((role) => roles.has(role));
}

/** What the maintenance server of 1.12 answers to a caller who did not come through SideroLink. */
export const maintenance112 = new Set([
  '/machine.MachineService/ApplyConfiguration',
  '/machine.MachineService/GenerateConfiguration',
  '/storage.StorageService/Disks',
  '/storage.StorageService/BlockDeviceWipe',
  ...['Get', 'List', 'Watch', 'Create', 'Update', 'Destroy', 'Teardown'].map((name) => `/cosi.resource.State/${name}`),
]);

function table(service: string, roles: readonly string[], methods: readonly string[]): Record<string, readonly string[]> {
  return Object.fromEntries(methods.map((method) => [`${service}${method}`, roles]));
}
