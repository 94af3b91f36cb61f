import { type Condition, holds, minutes, notYet, seconds } from '../../base/index.ts';
import type { Disruption, Gates } from './lifecycle.ts';

/**
 * The member that went before has settled: the gate of etcd lets the next one go. Only that gate, and only for a while; what it says
 * at the end is for the gates themselves to tell.
 */
export function etcdSettled(gates: Gates, disruption: Disruption): Condition<boolean> {
  return {
    description: 'etcd to settle',
    deadlineMs: minutes(5),
    intervalMs: seconds(5),
    see: 'npx tk talos:etcd-members',
    async check(signal) {
      const answer = await gates.quorum(disruption, signal);
      if (answer.state !== 'refused') return holds(true);
      const { facts, code } = answer.failures[0];
      const problems = (facts['problems'] ?? facts['because'] ?? []) as readonly { readonly member: string; readonly reason: string }[];
      // Without consent waiting does not help.
      if (code === 'gate/etcd-downtime' || code === 'gate/etcd-last-voter') return holds(false);
      return notYet(problems.map(({ member, reason }) => `${member}: ${reason}`).join('; '));
    },
  };
}
