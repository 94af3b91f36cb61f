import type { SimEvent } from '../kernel.ts';
import type { SimulatedKube } from '../kube/model.ts';
import { builtIn } from '../kube/kinds.ts';
import { objAt, textAt } from '../kube/value.ts';
import type { TalosModel } from '../talos/model.ts';
import type { Report } from './violation.ts';

/** Set together with a cordon of ours: annotation `talos-tk/cordoned-by`. */
const mark = 'talos-tk/cordoned-by';
const nodes = builtIn('v1', 'Node');
const leases = builtIn('coordination.k8s.io/v1', 'Lease');

export interface NodeWatch {
  onEvent(event: SimEvent): void;
  /**
   * At the end of a run that could still speak. What an earlier run has left is in its journal until a run ends well.
   */
  atEnd(run: { readonly id?: string; readonly isDone: boolean }): void;
}

/** I-13: no cordon of ours is left behind on a machine that is back, and nobody else's is ever taken away. */
export function watchNodes(kube: () => SimulatedKube | undefined, talos: TalosModel, report: Report): NodeWatch {
  const foreign = new Set<string>();
  return {
    onEvent({ kind, facts }) {
      const node = String(facts.node ?? '');
      if (kind === 'talos/disruption') {
        const spec = objAt(kube()?.state.get(leases, 'kube-system', 'talos-tk') ?? {}, 'spec');
        const isAnothers = textAt(spec, 'holderIdentity').startsWith('somebody-else');
        if (isAnothers) report('I-14', `${node} was taken away while ${textAt(spec, 'holderIdentity')} held the cluster's lease`);
      }
      if (kind === 'kube/foreign-cordon') {
        if (facts.isCordoned === true) foreign.add(node);
        else foreign.delete(node);
      } else if (kind === 'kube/uncordoned' && foreign.has(node)) {
        report('I-13', `the cordon that somebody set on ${node} was taken away`);
        foreign.delete(node);
      }
    },
    atEnd({ id, isDone }) {
      for (const object of kube()?.state.list(nodes) ?? []) {
        const name = textAt(object, 'metadata', 'name');
        if (objAt(object, 'metadata', 'annotations')[mark] === undefined || objAt(object, 'spec').unschedulable !== true) continue;
        if (!isDone && id !== undefined && objAt(object, 'metadata', 'annotations')[mark] !== id) continue;
        const machine = talos.machines.find((one) => one.hostname() === name);
        const isBack = machine?.isUp() === true && machine.get('stage') === 'running' && kube()?.nodeReady(name) === true;
        if (isBack) report('I-13', `${name} is back and still cordoned by ${String(objAt(object, 'metadata', 'annotations')[mark])}`);
      }
    },
  };
}
