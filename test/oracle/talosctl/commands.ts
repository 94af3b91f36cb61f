import type { Minor } from '../../unit/sim/cluster-rig.ts';

/** Loopback addresses, so that a tool outside can dial every machine itself. */
export const network = '127.0.10';

export interface Command {
  readonly argv:
    | readonly string[]
    | ((at: { readonly client: Minor; readonly server: Minor; readonly version: string }) => readonly string[]);
  /** Only these generations of the tool have it, or have it in this form. */
  readonly clients?: readonly Minor[];
  /** A follower is interrupted after this long. */
  readonly stopAfterMs?: number;
  /** The cluster has to come to rest before the next command. */
  readonly disrupts?: boolean;
  /** Calls that are compared when it is replayed; what a waiting client asks in between depends on the moment. Default: all. */
  readonly compares?: readonly string[];
  /** `kinds`: of the same call with the same kind of answer only the first is kept. */
  readonly keeps?: 'kinds';
}

const cp1 = `${network}.11`;
const cp2 = `${network}.12`;
const cp3 = `${network}.13`;
const worker = `${network}.21`;

/** Of the image without any extension. */
const schematic = '376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba';

/** Before a machine has a config. */
export const commandsInMaintenance: readonly Command[] = [
  { argv: ['get', 'disks', '--insecure', '-n', cp1] },
  { argv: ['get', 'links', '--insecure', '-n', worker] },
  { argv: ['version', '--insecure', '-n', cp1] },
  { argv: ['apply-config', '--insecure', '-n', cp1, '-f', 'cp-1.yaml', '--dry-run'] },
  { argv: ['bootstrap', '-n', cp1] },
  { argv: ['apply-config', '--insecure', '-n', cp1, '-f', 'cp-1.yaml'] },
  { argv: ['apply-config', '--insecure', '-n', cp2, '-f', 'cp-2.yaml'] },
  { argv: ['apply-config', '--insecure', '-n', `${network}.13`, '-f', 'cp-3.yaml'] },
  { argv: ['apply-config', '--insecure', '-n', worker, '-f', 'worker-1.yaml'] },
];

export const bootstrapCommands: readonly Command[] = [
  { argv: ['services', '-n', cp1] },
  { argv: ['bootstrap', '-n', worker] },
  { argv: ['bootstrap', '-n', cp1] },
];

/** With the cluster running. */
export const commandsAfterBoot: readonly Command[] = [
  { argv: ['bootstrap', '-n', cp1] },
  { argv: ['version', '-n', cp1] },
  { argv: ['version', '-n', `${cp1},${worker}`] },
  { argv: ['services', '-n', cp1] },
  { argv: ['service', 'etcd', '-n', cp1] },
  { argv: ['services', '-n', worker] },
  { argv: ['get', 'members', '-n', cp1] },
  { argv: ['get', 'members', '-n', cp1, '-o', 'yaml'] },
  { argv: ['get', 'disks', '-n', cp1] },
  { argv: ['get', 'links', '-n', cp1] },
  { argv: ['get', 'machineconfig', '-n', cp1] },
  { argv: ['get', 'machinestatus', '-n', worker, '-o', 'json'] },
  { argv: ['get', 'nodename', 'nodename', '-n', cp1] },
  { argv: ['get', 'disks', 'zz', '-n', cp1] },
  { argv: ['get', 'nothing-like-this', '-n', cp1] },
  { argv: ['get', 'rd', '-n', cp1] },
  { argv: ['get', 'machinestatus', '-n', cp1, '-w'], stopAfterMs: 2500 },
  { argv: ['etcd', 'members', '-n', cp1] },
  { argv: ['etcd', 'status', '-n', `${cp1},${cp2}`] },
  { argv: ['etcd', 'alarm', 'list', '-n', cp1] },
  { argv: ['etcd', 'snapshot', 'db.snapshot', '-n', cp1] },
  { argv: ['logs', 'etcd', '-n', cp1] },
  { argv: ['logs', 'kubelet', '-f', '-n', cp1], stopAfterMs: 2500 },
  { argv: ['dmesg', '-n', cp1] },
  { argv: ['kubeconfig', 'kubeconfig.out', '-n', cp1] },
  { argv: ['kubeconfig', 'kubeconfig.worker', '-n', worker] },
  { argv: ['health', '-n', cp1, '--wait-timeout', '60s'] },
  { argv: ['health', '-n', cp1, '--wait-timeout', '60s', '--server=false'] },
  { argv: ['time', '-n', cp1] },
  { argv: ['memory', '-n', cp1] },
  { argv: ['memory', '--verbose', '-n', cp1] },
  { argv: ['processes', '-n', cp1] },
  { argv: ['mounts', '-n', cp1] },
  { argv: ['containers', '-n', cp1] },
  { argv: ['containers', '--kubernetes', '-n', cp1] },
  { argv: ['cgroups', '--preset', 'memory', '-n', cp1] },
  { argv: ['cgroups', '--preset', 'cpu', '-n', cp1] },
  { argv: ['cgroups', '--preset', 'process', '-n', worker] },
  { argv: ['dmesg', '--follow', '--tail', '-n', worker], stopAfterMs: 2500 },
  { argv: ['read', '/proc/sys/kernel/random/boot_id', '-n', cp1] },
  { argv: ['read', '/no/such/file', '-n', cp1] },
  { argv: ['apply-config', '-n', cp1, '-f', 'cp-1.yaml', '--dry-run'] },
  { argv: ['apply-config', '-n', cp1, '-f', 'cp-1.yaml', '--mode', 'no-reboot'] },
  { argv: ['service', 'kubelet', 'restart', '-n', worker] },
  { argv: ['events', '-n', worker, '--tail', '5'], stopAfterMs: 2500 },
  { argv: ['list', '/var/lib', '-n', cp1] },
  { argv: ['time', '--check', 'time.cloudflare.com', '-n', cp1] },
  { argv: ['image', 'list', '-n', cp1] },
  { argv: ({ version }) => ['image', 'pull', `factory.talos.dev/metal-installer/${schematic}:${version}`, '-n', worker] },
  { argv: ['meta', 'write', '0x0a', 'value', '-n', worker] },
  { argv: ['meta', 'delete', '0x0a', '-n', worker] },
  { argv: ['service', 'kubelet', 'stop', '-n', worker] },
  { argv: ['service', 'kubelet', 'start', '-n', worker] },
  { argv: ['service', 'apid', 'restart', '-n', worker] },
  { argv: ['service', 'no-such', 'start', '-n', worker] },
  { argv: ['etcd', 'defrag', '-n', cp2] },
  { argv: ['etcd', 'alarm', 'disarm', '-n', cp1] },
  { argv: ['etcd', 'forfeit-leadership', '-n', cp1], disrupts: true },
  { argv: ['reboot', '-n', worker, '--wait=false'], disrupts: true },
  { argv: ['reboot', '-n', worker, '--timeout', '60s'], disrupts: true, compares: ['Version', 'Reboot'] },
  { argv: upgrade('--timeout', '80s'), disrupts: true, compares: ['Upgrade', 'Pull'] },
  { argv: ['rollback', '-n', worker], disrupts: true },
  { argv: ['reset', '-n', worker, '--graceful=false', '--wait=false'], compares: ['Version', 'Reset'] },
  { argv: ['etcd', 'leave', '-n', cp3], compares: ['Version', 'EtcdLeaveCluster'] },
  { argv: ['shutdown', '-n', cp3, '--force', '--wait=false'], compares: ['Version', 'Shutdown'] },
];

function upgrade(...flags: readonly string[]): Command['argv'] {
  return ({ client, version }) => [
    'upgrade',
    '-n',
    worker,
    '--image',
    `factory.talos.dev/metal-installer/${schematic}:${version}`,
    ...flags,
    // Up to 1.12 the machine drains by itself.
    ...(client === '1.12' ? [] : ['--drain=false']),
  ];
}
