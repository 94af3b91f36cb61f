import { defineTask, memberIdText, throwIfAny, z } from 'talos-tk';

export default defineTask({
  summary: 'Remove a broken member from etcd',
  description:
    'For a member whose machine does not come back. One that works leaves with its machine: npx tk node:remove. A checked snapshot is taken first.',
  params: z.object({ member: z.string().describe('its id, or its host name') }),
  positional: ['member'],
  examples: ['talos:etcd-remove-member cp-3 --plan'],
  effect: 'destroy',
  locks: ['etcd'],
  confirm: ({ member }) => ({ message: `Remove the member ${member} from etcd, for good`, phrase: member }),
  async probe({ params, cluster, signal }) {
    const picture = await cluster.lifecycle.etcd(signal);
    const member = cluster.operations.etcd.member(picture, params.member);
    return {
      member,
      refusals: cluster.operations.etcd.mayRemove(picture, member, { alsoWorking: false }),
      tolerance: cluster.operations.etcd.tolerance(picture, member.isLearner ? 0 : -1),
    };
  },
  plan({ params }, facts) {
    if (facts === undefined) return [{ decision: 'unknown', title: `remove ${params.member}`, reason: 'no member was asked' }];
    throwIfAny(facts.refusals);
    return [
      { decision: 'run', title: 'etcd snapshot' },
      {
        decision: 'run',
        title: `remove ${facts.member.hostname || memberIdText(facts.member.id)}`,
        reason: facts.tolerance,
        calls: [{ target: 'etcd', call: 'machine.MachineService/EtcdRemoveMemberByID' }],
      },
    ];
  },
  async run({ params, cluster, step, detail, signal }) {
    const picture = await cluster.lifecycle.etcd(signal);
    const member = cluster.operations.etcd.member(picture, params.member);
    throwIfAny(cluster.operations.etcd.mayRemove(picture, member, { alsoWorking: false }));
    const snapshot = await step('etcd snapshot', async (handle) => {
      const taken = await cluster.lifecycle.snapshot({}, handle.signal);
      handle.detail(taken.path);
      return taken;
    });
    const name = member.hostname || memberIdText(member.id);
    await step.probeAct(`remove ${name}`, {
      async probe(handle) {
        const now = await cluster.lifecycle.etcd(handle.signal);
        const isThere = now.views.some((view) => view.state === 'answered' && view.members.some(({ id }) => id === member.id));
        return isThere ? { state: 'not-done', seen: 'it is a member' } : { state: 'done', seen: 'it is no member', value: undefined };
      },
      async act(handle) {
        // On data of this very moment.
        const now = await cluster.lifecycle.etcd(handle.signal);
        throwIfAny(cluster.operations.etcd.mayRemove(now, member, { alsoWorking: false }));
        await cluster.operations.etcd.remove(now, member.id, handle.signal);
      },
    });
    const after = await cluster.lifecycle.etcd(signal);
    detail(`${name} is no member any more; ${cluster.operations.etcd.tolerance(after, 0)}`);
    return { member: name, id: memberIdText(member.id), snapshot: snapshot.path };
  },
});
