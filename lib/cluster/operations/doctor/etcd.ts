import { memberIdText } from '../etcd.ts';
import { operationFailure } from '../failures.ts';
import type { DoctorParts, Note } from './finding.ts';

export async function examineEtcd({ cluster }: DoctorParts, note: Note, signal: AbortSignal): Promise<void> {
  const { views } = await cluster.lifecycle.etcd(signal);
  const answered = views.flatMap((view) => (view.state === 'answered' ? [view] : []));
  for (const view of views) {
    const { name } = view.node;
    const mend = `npx tk talos:logs NODE=${name} SERVICE=etcd`;
    const say = (problem: string) => note('error', operationFailure('doctor/etcd', { node: name, problem }), mend, name);
    if (view.state === 'silent') say(`no answer (${view.because})`);
    else if (!view.isHealthy) say('it is not healthy');
    else if (view.leader === 0n) say('it sees no leader');
    else if (view.members.some((member) => member.id === view.memberId && member.isLearner)) say('it is a learner');
    for (const error of view.state === 'answered' ? view.errors.filter((one) => !/alarm/i.test(one)) : []) say(error);
  }
  const members = new Map(answered.flatMap((view) => view.members.map((member) => [member.id, member] as const)));
  for (const member of members.values()) {
    if (cluster.controlPlanes.some((node) => node.name === member.hostname)) continue;
    const name = member.hostname || memberIdText(member.id);
    note('error', operationFailure('doctor/etcd-stranger', { member: name }), `npx tk talos:etcd-remove-member ${name}`);
  }
  const memberLists = new Set(
    answered.map((view) =>
      view.members
        .map(({ id, isLearner }) => `${id} ${isLearner}`)
        .sort()
        .join(),
    ),
  );
  if (memberLists.size > 1)
    note(
      'error',
      operationFailure('doctor/etcd-views', { nodes: answered.map((view) => String(view.node.name)) }),
      'npx tk talos:etcd-members',
    );
  const alarms = new Map(answered.flatMap((view) => view.alarms.map((one) => [`${one.memberId} ${one.alarm}`, one] as const)));
  for (const { memberId, alarm } of alarms.values()) {
    const node = answered.find((view) => view.memberId === memberId)?.node.name ?? memberIdText(memberId);
    note('error', operationFailure('doctor/alarm', { member: node, alarm }), 'npx tk talos:etcd-defrag && npx tk talos:etcd-disarm', node);
  }
}
