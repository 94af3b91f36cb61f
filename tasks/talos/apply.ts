import { defineTask, forEach, inSequence } from 'talos-tk';
import applyNode from './apply-node.ts';

export default defineTask({
  summary: 'Apply the machine configs of all nodes, control planes one at a time',
  effect: 'mutate',
  // A worker's apid gets its certificate from a control plane. One that is configured first cannot be asked anything until then,
  // and a run that was interrupted in between would refuse it as unreachable.
  needs: (_params, { cluster }) =>
    inSequence([
      ...cluster.controlPlanes.map((node) => applyNode({ node: node.name })),
      forEach(cluster.workers, (node) => applyNode({ node: node.name })),
    ]),
  // Nothing of its own: the machines' own tasks plan.
  plan: () => [],
  run({ needs, detail, skip }) {
    const changed = needs.filter((result) => result.changed).map((result) => result.node);
    if (changed.length === 0) skip('every running config is equal');
    else detail(changed.join(' '));
    return { changed };
  },
});
