import { count, type Failure } from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import { lifecycleFailure } from './failures.ts';
import type { Disruption, EtcdMemberView, EtcdPicture, EtcdView } from './lifecycle.ts';

export type QuorumVerdict =
  | { readonly state: 'passed'; readonly seen: string }
  | { readonly state: 'refused'; readonly failures: readonly [Failure, ...Failure[]] };

/** A member that is further behind would be asked for entries that the target may be the only one to have. */
const largestLag = 1000n;
/** A machine that has just come back may go again, and its etcd is still catching up. */
const settleMs = 60_000;

type Answered = Extract<EtcdView, { readonly state: 'answered' }>;

/**
 * Whether etcd can do without one member, from what every control plane says at this moment.
 *
 * Shape: pure. The target itself may be in any state: taking away what does not work takes nothing away.
 * Failure: `gate/etcd-quorum` when too few would be left, `gate/etcd-last-voter`, `gate/etcd-downtime` without consent,
 * `gate/etcd-unhealthy` for everything that would make the arithmetic a guess.
 * Source: etcd's own rule (a majority of the voting members, started or not); Talos internal/pkg/etcd/etcd.go ValidateForUpgrade,
 * which also refuses members that are not started or do not answer
 */
export function judgeQuorum(picture: EtcdPicture, disruption: Disruption, controlPlanes: readonly NodeModel[]): QuorumVerdict {
  const { node: target } = disruption;
  const views = countedOnce(picture.views, target);
  const others = views.filter((view) => view.node !== target);
  const answered = views.filter((view): view is Answered => view.state === 'answered');
  const problems = new Map<string, string[]>();
  const problem = (name: string, reason: string) => void problems.set(name, [...(problems.get(name) ?? []), reason]);

  const members = membersOf(answered, problem);
  if (members.length === 0) return refused(lifecycleFailure('gate/etcd-unhealthy', { node: target.name, problems: unanswered(views) }));
  const own = answered.find((view) => view.node === target);
  const targetMember = memberOf(target, own, members);
  checkMembers(members, targetMember, { controlPlanes, target, answered }, problem);
  checkConsensus(answered, target, problem);
  const healthy = others.filter((view) => isHealthy(view, members, problem));

  const voters = members.filter((member) => !member.isLearner);
  const isVoter = targetMember !== undefined && !targetMember.isLearner;
  const remaining = disruption.etcd === 'for-good' && isVoter ? voters.length - 1 : voters.length;
  const needed = majority(Math.max(remaining, 1));
  const left = healthy.length;
  const because = listed(problems);
  const passing = passingBy(others, because.length);

  if (disruption.etcd === 'for-good' && isVoter && voters.length === 1)
    return refused(lifecycleFailure('gate/etcd-last-voter', { node: target.name }));
  // The removal itself is a change that a majority of the present members has to agree to.
  const lacksMajorityNow = disruption.etcd === 'for-good' && left + (own && isWorking(own) ? 1 : 0) < majority(voters.length);
  const isTooFew = left < needed || lacksMajorityNow;
  // One or two members cannot spare any: that is arithmetic, not trouble. The other one still has to be well.
  const isSmall = disruption.etcd === 'away' && isVoter && voters.length <= 2;
  if (isSmall && left === voters.length - 1) {
    if (disruption.acceptsDowntime !== true)
      return refused(lifecycleFailure('gate/etcd-downtime', { node: target.name, members: voters.length }));
  } else if (isTooFew && isVoter) {
    return refused(lifecycleFailure('gate/etcd-quorum', { node: target.name, members: voters.length, left, needed, because, ...passing }));
  }
  const unexpected = because.filter(({ member }) => disruption.alsoDown?.some(({ name }) => name === member) !== true);
  if (unexpected.length > 0)
    return refused(lifecycleFailure('gate/etcd-unhealthy', { node: target.name, problems: unexpected, ...passing }));
  const leader = answered.find((view) => view.memberId === view.leader)?.node.name;
  const stays = isSmall ? `etcd stands still meanwhile (${count(voters.length, 'member')})` : `etcd stays ${left} of ${remaining}`;
  return { state: 'passed', seen: `${stays}${leader === undefined ? '' : `, leader ${leader}`}` };
}

export const majority = (voters: number): number => Math.floor(voters / 2) + 1;

const refused = (...failures: [Failure, ...Failure[]]): QuorumVerdict => ({ state: 'refused', failures });

const unanswered = (views: readonly EtcdView[]) =>
  views.map((view) => ({
    member: view.node.name as string,
    reason: view.state === 'silent' ? `no answer (${view.because})` : 'its etcd has no members',
  }));

/**
 * An address that has moved to another machine brings that machine's answer a second time: each member counts where its host name
 * says that it is, or once, and what else carries its id is nobody's answer.
 */
function countedOnce(views: readonly EtcdView[], target: NodeModel): readonly EtcdView[] {
  const holders = new Map<bigint, Answered>();
  const isAtHome = ({ node, memberId, members }: Answered) => members.some(({ id, hostname }) => id === memberId && hostname === node.name);
  for (const view of views) {
    if (view.state !== 'answered') continue;
    const known = holders.get(view.memberId);
    if (known === undefined || (!isAtHome(known) && (isAtHome(view) || view.node === target))) holders.set(view.memberId, view);
  }
  return views.map((view) => {
    const holder = view.state === 'answered' ? holders.get(view.memberId) : undefined;
    return holder === undefined || holder === view
      ? view
      : { state: 'silent', node: view.node, because: `${holder.node.name} answers at its address` };
  });
}

/** The members in everybody's view; views that differ are a problem of their own. */
function membersOf(answered: readonly Answered[], problem: (name: string, reason: string) => void): readonly EtcdMemberView[] {
  const [first, ...rest] = answered;
  if (first === undefined) return [];
  const textOf = (members: readonly EtcdMemberView[]) =>
    members
      .map(({ id, hostname, isLearner }) => `${id} ${hostname} ${isLearner}`)
      .sort()
      .join();
  const union = new Map(answered.flatMap((view) => view.members.map((member) => [member.id, member] as const)));
  const wanted = textOf(first.members);
  for (const view of rest) if (textOf(view.members) !== wanted) problem(view.node.name, `it sees other members than ${first.node.name}`);
  return [...union.values()];
}

const memberOf = (node: NodeModel, view: Answered | undefined, members: readonly EtcdMemberView[]) =>
  members.find((member) => (view === undefined ? member.hostname === node.name : member.id === view.memberId));

/** A machine that answers says itself which member it is; its host name may be another one than the inventory's. */
function checkMembers(
  members: readonly EtcdMemberView[],
  targetMember: EtcdMemberView | undefined,
  {
    controlPlanes,
    target,
    answered,
  }: { readonly controlPlanes: readonly NodeModel[]; readonly target: NodeModel; readonly answered: readonly Answered[] },
  problem: (name: string, reason: string) => void,
): void {
  const nodeOf = (member: EtcdMemberView) =>
    answered.find((view) => view.memberId === member.id)?.node ?? controlPlanes.find((node) => node.name === member.hostname);
  for (const member of members) {
    if (member === targetMember) continue;
    const name = member.hostname || member.id.toString(16);
    if (member.hostname === '') problem(name, 'this member was added and has not started');
    else if (nodeOf(member) === undefined) problem(name, 'it is a member and not in the inventory');
    if (member.isLearner) problem(nodeOf(member)?.name ?? name, 'it is a learner');
  }
  for (const node of controlPlanes)
    if (node !== target && !members.some((member) => nodeOf(member) === node)) problem(node.name, 'it is not a member of etcd');
}

/** One leader, one term, no alarm, nobody far behind. */
function checkConsensus(answered: readonly Answered[], target: NodeModel, problem: (name: string, reason: string) => void): void {
  const working = answered.filter((view) => view.node !== target || isWorking(view));
  const newest = working.reduce((highest, view) => (view.raftIndex > highest ? view.raftIndex : highest), 0n);
  const leaders = new Set(working.flatMap(({ leader }) => (leader === 0n ? [] : [leader])));
  const terms = new Set(working.map(({ raftTerm }) => raftTerm));
  for (const view of working) {
    if (view.leader === 0n) problem(view.node.name, 'it sees no leader');
    else if (leaders.size > 1) problem(view.node.name, 'the members see different leaders');
    else if (terms.size > 1) problem(view.node.name, 'the members are in different terms');
    if (view.node !== target && newest - view.raftAppliedIndex > largestLag)
      problem(view.node.name, `it is ${newest - view.raftAppliedIndex} entries behind`);
    if (view.node !== target) for (const error of view.errors) problem(view.node.name, error);
  }
  // Alarms are the cluster's, and every member reports all of them.
  const alarms = new Set(answered.flatMap((view) => view.alarms.map(({ memberId, alarm }) => `${memberId} ${alarm}`)));
  for (const one of alarms) {
    const [id = '', alarm = ''] = one.split(' ');
    const holder = answered.find((view) => String(view.memberId) === id)?.node.name ?? BigInt(id).toString(16);
    problem(holder, `alarm ${alarm}`);
  }
}

const isWorking = (view: Answered): boolean => view.isHealthy && view.leader !== 0n && view.stage === 'running';

/** A control plane that may go at any moment counts as gone: silent, cordoned, not running, or back for less than a minute. */
function isHealthy(view: EtcdView, members: readonly EtcdMemberView[], problem: (name: string, reason: string) => void): boolean {
  const { name } = view.node;
  if (view.state === 'silent') {
    problem(name, `no answer (${view.because})`);
    return false;
  }
  const before = { count: 0 };
  const bad = (reason: string) => {
    before.count += 1;
    problem(name, reason);
  };
  if (!view.isHealthy) bad('its etcd is not healthy');
  if (view.stage !== 'running') bad(`it is ${view.stage}`);
  if (view.isCordoned) bad('it is cordoned');
  if (view.bootedForMs !== undefined && view.bootedForMs < settleMs) bad(`it booted ${Math.floor(view.bootedForMs / 1000)} s ago`);
  const member = members.find(({ id }) => id === view.memberId);
  if (member === undefined) bad('it is not in the member list');
  return before.count === 0 && member !== undefined && !member.isLearner && member.hostname !== '' && view.leader !== 0n;
}

/** When only machines that have just booted stand in the way, and nothing else: how long that lasts. */
function passingBy(others: readonly EtcdView[], problems: number): { readonly passesInMs?: number } {
  const left = others.flatMap((view) =>
    view.state === 'answered' && view.bootedForMs !== undefined && view.bootedForMs < settleMs ? [settleMs - view.bootedForMs] : [],
  );
  return left.length > 0 && left.length === problems ? { passesInMs: Math.max(...left) } : {};
}

const listed = (problems: ReadonlyMap<string, readonly string[]>) =>
  [...problems].flatMap(([member, reasons]) => [...new Set(reasons)].map((reason) => ({ member, reason })));
