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
}

const cp1 = `${network}.11`;
const cp2 = `${network}.12`;
const worker = `${network}.21`;

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
  { argv: ['read', '/proc/sys/kernel/random/boot_id', '-n', cp1] },
  { argv: ['read', '/no/such/file', '-n', cp1] },
  { argv: ['apply-config', '-n', cp1, '-f', 'cp-1.yaml', '--dry-run'] },
  { argv: ['apply-config', '-n', cp1, '-f', 'cp-1.yaml', '--mode', 'no-reboot'] },
  { argv: ['service', 'kubelet', 'restart', '-n', worker] },
  { argv: ['events', '-n', worker, '--tail', '5'], stopAfterMs: 2500 },
  { argv: ['reboot', '-n', worker, '--wait=false'], clients: ['1.12', '1.14'] },
];
