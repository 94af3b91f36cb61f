import { defineTask } from 'talos-tk';
import apply from '../talos/apply.ts';

export default defineTask({
  summary: 'Bootstrap etcd, exactly once',
  effect: 'mutate',
  locks: ['etcd'],
  needs: { apply: apply() },
  probe: ({ cluster, signal }) => cluster.etcd.evidence(signal),
  plan({ cluster }, evidence) {
    const node = cluster.etcd.target().name;
    if (evidence === undefined) return [{ decision: 'unknown', title: 'bootstrap etcd', node, reason: 'no control plane was asked' }];
    if (evidence.state === 'done') return [{ decision: 'skip', title: 'bootstrap etcd', node, reason: evidence.seen }];
    return [{ decision: 'run', title: 'bootstrap etcd', node, calls: [{ target: node, call: 'machine.MachineService/Bootstrap' }] }];
  },
  async run({ cluster, step, wait, detail, skip }) {
    const bootstrapped = await step.once('bootstrap etcd', {
      key: 'etcd-bootstrap',
      target: cluster.etcd.target().name,
      probe: (handle) => cluster.etcd.evidence(handle.signal),
      act: (handle, target) => cluster.etcd.bootstrap(cluster.find({ node: target }), handle),
    });
    if (bootstrapped.state === 'acted') await wait(cluster.etcd.started(cluster.etcd.target()));
    const members = await wait(cluster.etcd.joined());
    if (bootstrapped.state === 'already-done') skip(bootstrapped.seen);
    else detail(`etcd on ${cluster.etcd.target().name}, ${members} of ${cluster.controlPlanes.length} members`);
    return { members };
  },
});
