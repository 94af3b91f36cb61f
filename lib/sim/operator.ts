import type { SimKernel, SimTimer } from './kernel.ts';
import type { SimulatedKube } from './kube/model.ts';
import type { TupprPhase } from './kube/landscape.ts';
import type { AlarmKind } from './talos/etcd.ts';
import type { TalosModel } from './talos/model.ts';

/** What somebody else does to a cluster, now or later: a person at another desk, a controller in the cluster, the power company. */
export type Deed =
  | { readonly deed: 'cordon' | 'uncordon' | 'reboot' | 'press-power' | 'stop-etcd' | 'move-leader'; readonly node: string }
  | { readonly deed: 'lose-power'; readonly node: string; readonly darkMs: number }
  | { readonly deed: 'tuppr'; readonly kind: 'TalosUpgrade' | 'KubernetesUpgrade'; readonly phase: TupprPhase; readonly node?: string }
  | { readonly deed: 'alarm'; readonly node: string; readonly alarm: AlarmKind }
  | { readonly deed: 'pin-pod'; readonly node: string }
  | { readonly deed: 'disarm'; readonly node: string }
  | { readonly deed: 'take-lease'; readonly holder: string }
  | { readonly deed: 'ceph'; readonly health: 'HEALTH_OK' | 'HEALTH_WARN' | 'HEALTH_ERR' };

export interface Operator {
  does(deed: Deed): void;
  /** After so long from now; a stored timer. */
  later(inMs: number, deed: Deed): void;
}

/** Stands beside the tool under test and is not known to it. */
export function createOperator(kernel: SimKernel, talos: TalosModel, kube: SimulatedKube): Operator {
  const does = (deed: Deed): void => {
    kernel.emit({ kind: `operator/${deed.deed}`, facts: 'node' in deed && deed.node !== undefined ? { node: deed.node } : {} });
    switch (deed.deed) {
      case 'cordon':
      case 'uncordon':
        kube.landscape.cordon(talos.hostnameOf(deed.node), deed.deed === 'cordon');
        return;
      case 'reboot':
        talos.hand.reboot(deed.node);
        return;
      case 'lose-power':
        talos.hand.losePower(deed.node, deed.darkMs);
        return;
      case 'press-power':
        talos.hand.pressPower(deed.node);
        return;
      case 'stop-etcd':
        talos.hand.stopEtcd(deed.node);
        return;
      case 'move-leader':
        talos.hand.moveLeader(deed.node);
        return;
      case 'alarm':
        talos.hand.raiseAlarm(deed.node, deed.alarm);
        return;
      case 'disarm':
        talos.hand.disarm(deed.node);
        return;
      case 'pin-pod':
        kube.landscape.pin(`pinned-${deed.node}`, talos.hostnameOf(deed.node));
        return;
      case 'tuppr':
        kube.landscape.tuppr(deed.kind, deed.phase, deed.node);
        return;
      case 'take-lease':
        if (kube.isServing()) kube.landscape.takeLease(deed.holder);
        return;
      case 'ceph':
        kube.landscape.ceph(deed.health);
        return;
    }
  };
  kernel.register({ name: 'operator', onTimer: (timer: SimTimer) => does(timer.data as unknown as Deed) });
  return {
    does,
    later: (inMs, deed) =>
      kernel.schedule({ atMs: kernel.clock.monotonicMs() + inMs, model: 'operator', kind: deed.deed, data: { ...deed } }),
  };
}
