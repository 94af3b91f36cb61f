import { count, type Failure, failureOf, suggestionFor, TkError } from '../../base/index.ts';
import type { NodeModel } from '../../config/index.ts';
import type { Connections } from '../connections.ts';
import { lifecycleFailure } from '../lifecycle/failures.ts';
import type { EtcdMemberView, EtcdPicture, EtcdView } from '../lifecycle/lifecycle.ts';
import { majority } from '../lifecycle/quorum.ts';
import { isTransientTalos } from '../transient.ts';
import { operationFailure } from './failures.ts';

type Answered = Extract<EtcdView, { readonly state: 'answered' }>;

/** Looking after etcd. Nothing in it changes anything. */
export interface EtcdOperationsView {
  /** What nobody tells is not known. Failure: `etcd/no-member` when no control plane has answered. */
  mustAnswer(picture: EtcdPicture): void;
  /** The member that a word means: an id in hex, or a host name. Failure: `etcd/unknown-member`, `etcd/no-member`. */
  member(picture: EtcdPicture, word: string): EtcdMemberView;
  /**
   * Why a member may not stop answering for a while. Alarms are no reason: what mends them needs just this.
   *
   * Shape: pure; empty: it may. Failure: `gate/etcd-quorum`, `gate/etcd-downtime`.
   */
  mayPause(picture: EtcdPicture, node: NodeModel, options: { readonly acceptsDowntime: boolean }): readonly Failure[];
  /** Why a member may not be removed. Shape: pure. Failure: `gate/etcd-last-voter`, `gate/etcd-quorum`, `etcd/member-works`. */
  mayRemove(picture: EtcdPicture, member: EtcdMemberView, options: { readonly alsoWorking: boolean }): readonly Failure[];
  /** `etcd stays 2 of 3 (tolerates 0)`: what is left of the tolerance after a removal. */
  tolerance(picture: EtcdPicture, change: -1 | 0 | 1): string;
}

export interface EtcdOperations extends EtcdOperationsView {
  /** The member does not answer meanwhile. */
  defragment(node: NodeModel, signal: AbortSignal): Promise<void>;
  /** Every alarm of the cluster, through one member that works. */
  disarm(picture: EtcdPicture, signal: AbortSignal): Promise<void>;
  /** Through another member that works, the leader first. */
  remove(picture: EtcdPicture, id: bigint, signal: AbortSignal): Promise<void>;
}

const isWorking = (view: EtcdView): view is Answered => view.state === 'answered' && view.isHealthy && view.leader !== 0n;

export function createEtcdOperations(connections: Connections): EtcdOperations {
  /** The leader first: it needs nobody else to answer. One that goes away before it answers is followed by the next. */
  const throughOne = async (picture: EtcdPicture, but: bigint | undefined, use: (node: NodeModel) => Promise<void>): Promise<void> => {
    const working = picture.views
      .filter(isWorking)
      .filter((view) => view.memberId !== but)
      .toSorted((a, b) => Number(b.memberId === b.leader) - Number(a.memberId === a.leader));
    const failures: Failure[] = [];
    for (const { node } of working) {
      try {
        await use(node);
        return;
      } catch (error) {
        const failure = failureOf(error);
        // A lost reply is for the caller: it looks before it does anything twice.
        if (!isTransientTalos(failure)) throw error;
        failures.push(failure);
      }
    }
    const [cause] = failures;
    const asked = picture.views.map((view) => String(view.node.name));
    throw new TkError(lifecycleFailure('etcd/no-member', { asked }, cause === undefined ? {} : { cause }));
  };
  return {
    mustAnswer,
    member,
    mayPause,
    mayRemove,
    tolerance,
    defragment: (node, signal) => connections.change(node, (machine) => machine.defragmentEtcd(signal)),
    disarm: (picture, signal) =>
      throughOne(picture, undefined, (node) => connections.change(node, (machine) => machine.disarmEtcdAlarms(signal))),
    remove: (picture, id, signal) =>
      throughOne(picture, id, (node) => connections.change(node, (machine) => machine.removeEtcdMember(id, signal))),
  };
}

/** Every member that anybody lists. */
const membersOf = ({ views }: EtcdPicture): readonly EtcdMemberView[] => [
  ...new Map(views.flatMap((view) => (view.state === 'answered' ? view.members.map((one) => [one.id, one] as const) : []))).values(),
];

/** As etcd's own tools print it. */
export const memberIdText = (id: bigint): string => id.toString(16).padStart(16, '0');

function mustAnswer({ views }: EtcdPicture): void {
  if (views.some((view) => view.state === 'answered')) return;
  throw new TkError(lifecycleFailure('etcd/no-member', { asked: views.map(({ node }) => String(node.name)) }));
}

function member(picture: EtcdPicture, word: string): EtcdMemberView {
  mustAnswer(picture);
  const members = membersOf(picture);
  const hex = word
    .toLowerCase()
    .replace(/^0x/, '')
    .replace(/^0+(?=.)/, '');
  const found = members.filter((one) => one.hostname === word || one.id.toString(16) === hex);
  const [only, another] = found;
  if (only !== undefined && another === undefined) return only;
  const known = members.map((one) => (one.hostname === '' ? memberIdText(one.id) : one.hostname));
  const suggestion = suggestionFor(word, known);
  throw new TkError(operationFailure('etcd/unknown-member', { asked: word, known, ...(suggestion ? { suggestion } : {}) }));
}

/** Voters that answer and work, without one; and why the others do not count. */
function others(picture: EtcdPicture, without: (view: EtcdView) => boolean) {
  const because: { member: string; reason: string }[] = [];
  let working = 0;
  for (const view of picture.views) {
    if (without(view)) continue;
    const name = String(view.node.name);
    if (view.state === 'silent') because.push({ member: name, reason: `no answer (${view.because})` });
    else if (!view.isHealthy) because.push({ member: name, reason: 'its etcd is not healthy' });
    else if (view.leader === 0n) because.push({ member: name, reason: 'it sees no leader' });
    else if (view.members.some((one) => one.id === view.memberId && one.isLearner))
      because.push({ member: name, reason: 'it is a learner' });
    else working += 1;
  }
  return { working, because };
}

function mayPause(picture: EtcdPicture, node: NodeModel, { acceptsDowntime }: { readonly acceptsDowntime: boolean }): readonly Failure[] {
  const voters = membersOf(picture).filter((one) => !one.isLearner).length;
  const { working, because } = others(picture, (view) => view.node === node);
  if (voters <= 2 && working === voters - 1)
    return acceptsDowntime ? [] : [lifecycleFailure('gate/etcd-downtime', { node: node.name, members: voters })];
  const needed = majority(Math.max(1, voters));
  if (working >= needed) return [];
  return [lifecycleFailure('gate/etcd-quorum', { node: node.name, members: voters, left: working, needed, because })];
}

function mayRemove(picture: EtcdPicture, target: EtcdMemberView, { alsoWorking }: { readonly alsoWorking: boolean }): readonly Failure[] {
  const name = target.hostname || memberIdText(target.id);
  const own = picture.views.find((view) => view.state === 'answered' && view.memberId === target.id);
  const isOwnWorking = own !== undefined && isWorking(own);
  if (isOwnWorking && !alsoWorking) return [operationFailure('etcd/member-works', { member: name })];
  const voters = membersOf(picture).filter((one) => !one.isLearner).length;
  if (target.isLearner) return [];
  if (voters === 1) return [lifecycleFailure('gate/etcd-last-voter', { node: name })];
  const { working, because } = others(picture, (view) => view === own);
  const needed = majority(voters - 1);
  // The removal itself has to be agreed to by a majority of those that are members now.
  const agrees = working + (isOwnWorking ? 1 : 0) >= majority(voters);
  if (working >= needed && agrees) return [];
  return [
    lifecycleFailure('gate/etcd-quorum', {
      node: name,
      members: voters,
      left: working,
      needed: agrees ? needed : majority(voters),
      because,
    }),
  ];
}

function tolerance(picture: EtcdPicture, change: -1 | 0 | 1): string {
  const now = membersOf(picture).filter((one) => !one.isLearner).length;
  const after = Math.max(0, now + change);
  const spare = (voters: number) => Math.max(0, voters - majority(Math.max(1, voters)));
  const say = (voters: number) => `${count(voters, 'member')}, ${spare(voters) === 0 ? 'none' : spare(voters)} of which may fail`;
  return change === 0 ? say(now) : `${say(now)} → ${say(after)}`;
}
