import type { SimKernel } from './kernel.ts';
import type { TalosModel } from './talos/model.ts';

/** The sandbox at a glance, from ground truth. */
export interface SandboxStatus {
  /** Virtual milliseconds since the machines were first powered on. */
  readonly virtualMs: number;
  readonly machines: readonly {
    readonly name: string;
    readonly hostname: string;
    readonly address: string;
    readonly role: 'controlplane' | 'worker';
    readonly power: 'on' | 'off';
    readonly stage: string;
    readonly talosVersion: string;
    readonly etcd?: 'member' | 'learner';
  }[];
  readonly etcd: { readonly clusters: number; readonly members: number; readonly hasQuorum: boolean };
  /** Machine that holds the floating address. */
  readonly vipHolder?: string;
}

export function statusOf(kernel: SimKernel, talos: TalosModel): SandboxStatus {
  const clusters = talos.etcd.clusters();
  const holder = kernel.store.get<string>('talos-vip/holder');
  return {
    virtualMs: kernel.clock.monotonicMs(),
    machines: talos.machines.map((machine) => {
      const member = talos.etcd.memberOf(machine);
      return {
        name: machine.name,
        hostname: machine.hostname(),
        address: machine.spec.address,
        role: machine.config()?.role ?? machine.spec.role,
        power: machine.get('power') ?? 'off',
        stage: machine.get('stage') ?? 'off',
        talosVersion: machine.version(),
        ...(member ? { etcd: member.learner ? ('learner' as const) : ('member' as const) } : {}),
      };
    }),
    etcd: {
      clusters: clusters.length,
      members: talos.machines.filter((machine) => talos.etcd.memberOf(machine)?.learner === false).length,
      hasQuorum: talos.host.etcdHasQuorum(),
    },
    ...(holder === undefined ? {} : { vipHolder: holder }),
  };
}
