import { defineTask, forEach, inSequence } from 'talos-tk';
import applyNode from './apply-node.ts';

export default defineTask({
  summary: 'Apply the machine configs of all nodes, control planes one at a time',
  effect: 'mutate',
  needs: (_params, { cluster }) => ({
    controlPlanes: inSequence(cluster.controlPlanes.map((node) => applyNode({ node: node.name }))),
    workers: forEach(cluster.workers, (node) => applyNode({ node: node.name })),
  }),
  run({ needs, detail, skip }) {
    const changed = [...needs.controlPlanes, ...needs.workers].filter((result) => result.changed).map((result) => result.node);
    if (changed.length === 0) skip('every running config is equal');
    else detail(changed.join(' '));
    return { changed };
  },
});
