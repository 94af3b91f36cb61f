import type { Json } from '../../../lib/base/index.ts';
import type { SandboxSpec } from '../../../lib/sim/index.ts';

/** One call that stock talosctl made. `request` is base64 of the message, or `config` for a machine configuration, which holds keys. */
export interface RecordedCall {
  readonly path: string;
  readonly node?: string;
  readonly nodes?: string;
  readonly isInsecure: boolean;
  readonly request: string;
  readonly code: number;
  readonly messages: number;
}

export interface RecordedCommand {
  readonly when: Phase['when'];
  /** `NET` stands for the first three numbers of the addresses. */
  readonly command: string;
  readonly exitCode: number;
  readonly output: readonly string[];
  readonly calls: readonly RecordedCall[];
}

interface Phase {
  readonly when: 'maintenance' | 'waiting-for-bootstrap' | 'running';
  readonly commands: readonly string[];
}

const applied = ['cp-1 11', 'cp-2 12', 'cp-3 13', 'worker-1 21'].map((pair) => {
  const [name, last] = pair.split(' ');
  return `apply-config --insecure -n NET.${last} -f ${name}.yaml`;
});

/** What is asked, in order; the cluster goes on to the next phase by itself. */
export const phases: readonly Phase[] = [
  {
    when: 'maintenance',
    commands: [
      'version --insecure -n NET.11',
      'get disks --insecure -n NET.11',
      'get links --insecure -n NET.11',
      'version -n NET.11',
      ...applied,
    ],
  },
  {
    when: 'waiting-for-bootstrap',
    commands: [
      'version --insecure -n NET.11',
      'get machinestatus -n NET.11',
      'services -n NET.11',
      'bootstrap -n NET.21',
      'bootstrap -n NET.11',
      'bootstrap -n NET.11',
    ],
  },
  {
    when: 'running',
    commands: [
      'version -n NET.11,NET.21',
      'services -n NET.11,NET.21',
      'services -n NET.11,NET.99',
      'get members -n NET.11',
      'get disks -n NET.21',
      'get links -n NET.11',
      'get machinestatus -n NET.11,NET.12',
      'get machineconfig -n NET.11',
      'get disk zz -n NET.11',
      'etcd members -n NET.11,NET.12',
      'etcd status -n NET.11,NET.12,NET.13',
      'logs etcd -n NET.11',
      'dmesg -n NET.11',
      'kubeconfig kubeconfig --force -n NET.11',
      'read /proc/sys/kernel/random/boot_id -n NET.11',
      'apply-config -n NET.21 -f worker-1.yaml --dry-run',
      'apply-config -n NET.21 -f worker-1.yaml',
      'health -n NET.11 --wait-timeout 20s',
      'health -n NET.11 --server=false --wait-timeout 20s',
      'reboot -n NET.21 --wait --timeout 50s',
    ],
  },
];

/** Looks at ground truth. */
export function reached(when: Phase['when'], spec: SandboxSpec, read: (key: string) => Json | undefined): boolean {
  const all = (fact: string, value: string, only = spec.machines) =>
    only.every(({ name }) => (read(`talos/${name}/${fact}`) ?? '') === value);
  const state = (id: string, value: string, only = spec.machines) =>
    only.every(({ name }) => (read(`talos/${name}/services/${id}`) as { state?: string } | undefined)?.state === value);
  const controlPlanes = spec.machines.filter(({ role }) => role === 'controlplane');
  switch (when) {
    case 'maintenance':
      return all('stage', 'maintenance');
    case 'waiting-for-bootstrap':
      return state('etcd', 'Preparing', controlPlanes) && state('kubelet', 'Running');
    case 'running':
      return (
        all('stage', 'running') &&
        controlPlanes.every(({ name }) => read(`talos/${name}/static-pods`) === true) &&
        spec.machines.every(({ name }) => read(`talos/${name}/registered`) === true)
      );
  }
}
