import { describe, expect, test } from 'vitest';
import type { NodeName } from '../../../../lib/base/index.ts';
import type { NodeModel } from '../../../../lib/config/index.ts';
import type { Disruption, EtcdView } from '../../../../lib/cluster/lifecycle/lifecycle.ts';
import { judgeQuorum } from '../../../../lib/cluster/lifecycle/quorum.ts';

type Answered = Extract<EtcdView, { readonly state: 'answered' }>;

const nodeNamed = (name: string): NodeModel => ({ name: name as NodeName, role: 'controlplane' }) as NodeModel;
const namesOf = (size: number): readonly string[] => Array.from({ length: size }, (_, index) => `cp-${index + 1}`);

/** A cluster of so many voters, everyone well, cp-1 leads. `change` is what one member's view has instead. */
function pictureOf(size: number, change: Readonly<Record<string, Partial<Answered> | 'silent'>> = {}, learners: readonly string[] = []) {
  const nodes = [...namesOf(size), ...learners].map(nodeNamed);
  const members = nodes.map((node, index) => ({
    id: BigInt(index + 1),
    hostname: node.name as string,
    isLearner: learners.includes(node.name),
  }));
  const views = nodes.map((node, index): EtcdView => {
    const changed = change[node.name];
    if (changed === 'silent') return { state: 'silent', node, because: 'refused' };
    return {
      state: 'answered',
      node,
      stage: 'running',
      isCordoned: false,
      isHealthy: true,
      bootedForMs: 3_600_000,
      memberId: BigInt(index + 1),
      leader: 1n,
      raftTerm: 7n,
      raftIndex: 5000n,
      raftAppliedIndex: 5000n,
      errors: [],
      members,
      alarms: [],
      ...changed,
    };
  });
  return { nodes, picture: { observedAtMs: 0, views } };
}

function judge(
  { nodes, picture }: ReturnType<typeof pictureOf>,
  target: string,
  more: Partial<Omit<Disruption, 'node'>> = {},
): { readonly state: string; readonly code?: string; readonly facts?: object; readonly seen?: string } {
  const node = nodes.find(({ name }) => name === target) as NodeModel;
  const verdict = judgeQuorum(picture, { node, kind: 'reboot', etcd: 'away', ...more }, nodes);
  if (verdict.state === 'passed') return verdict;
  const [{ code, facts }] = verdict.failures;
  return { state: 'refused', code, facts };
}

describe('every size, every number of members that are down, the target up or down, with and without a learner', () => {
  const majority = (voters: number) => Math.floor(voters / 2) + 1;
  for (let voters = 1; voters <= 7; voters += 1) {
    for (const etcd of ['away', 'for-good'] as const) {
      test(`${voters} voters, ${etcd}`, () => {
        const told: string[] = [];
        for (let down = 0; down < voters; down += 1) {
          for (const isTargetUp of [true, false]) {
            for (const learners of [[], ['learner-1']]) {
              for (const acceptsDowntime of [true, false]) {
                const names = namesOf(voters);
                // The target is the last; those that are down are the ones before it. The first stays the leader as long as it is up.
                const target = names.at(-1) as string;
                const downNames = names.slice(0, -1).slice(voters - 1 - down);
                const leader = down === voters - 1 ? (isTargetUp ? BigInt(voters) : 0n) : 1n;
                const others = Object.fromEntries(names.map((name) => [name, { leader } as const]));
                const change = {
                  ...others,
                  ...Object.fromEntries(downNames.map((name) => [name, 'silent' as const])),
                  ...(isTargetUp ? {} : { [target]: 'silent' as const }),
                };
                const answer = judge(pictureOf(voters, change, learners), target, { etcd, acceptsDowntime });
                told.push(answer.code ?? 'passed');
                const left = voters - 1 - down;
                const remaining = etcd === 'for-good' ? Math.max(1, voters - 1) : voters;
                const isEnough =
                  etcd === 'away'
                    ? left >= majority(voters)
                    : left >= majority(remaining) && left + (isTargetUp ? 1 : 0) >= majority(voters);
                const isConsented = etcd === 'away' && voters <= 2 && down === 0 && acceptsDowntime;
                // The one rule that must hold whatever else does: nobody goes unless enough are left, or it was agreed to.
                if (answer.state === 'passed')
                  expect({ voters, down, isTargetUp, etcd, isEnough: isEnough || isConsented }).toMatchObject({ isEnough: true });
                // And nobody is held back when everybody is well.
                if (
                  down === 0 &&
                  learners.length === 0 &&
                  isTargetUp &&
                  (isEnough || isConsented) &&
                  !(etcd === 'for-good' && voters === 1)
                )
                  expect({ voters, etcd, acceptsDowntime, answer: answer.state }).toMatchObject({ answer: 'passed' });
                // Whatever is not well is a reason to stay, though it would be enough.
                if (down > 0 || learners.length > 0) expect(answer.state).toBe('refused');
              }
            }
          }
        }
        expect(new Set(told).size).toBeGreaterThan(voters === 1 && etcd === 'for-good' ? 0 : 1);
      });
    }
  }
});

test('three healthy members spare one, and the leader is named', () => {
  expect(judge(pictureOf(3), 'cp-2')).toEqual({ state: 'passed', seen: 'etcd stays 2 of 3, leader cp-1' });
});

describe('an address that has moved to another machine', () => {
  /** cp-2 is dark, and one of the others answers at its address. */
  const answeredBy = (memberId: bigint) => pictureOf(3, { 'cp-2': { memberId } });

  test.each([
    ['a member that stays', 1n, 'cp-1'],
    ['the one that goes', 3n, 'cp-3'],
  ])('%s counts once', (_, memberId, by) => {
    expect(judge(answeredBy(memberId), 'cp-3')).toEqual({
      state: 'refused',
      code: 'gate/etcd-quorum',
      facts: {
        node: 'cp-3',
        members: 3,
        left: 1,
        needed: 2,
        because: [{ member: 'cp-2', reason: `no answer (${by} answers at its address)` }],
      },
    });
  });

  test('the one that goes is dark itself: no vote of it is lost twice', () => {
    expect(judge(pictureOf(3, { 'cp-3': { memberId: 1n } }), 'cp-3').state).toBe('passed');
  });

  test('host names that are none of the inventory: the first stands for the member', () => {
    const { nodes, picture } = answeredBy(1n);
    const views = picture.views.map(
      (view): EtcdView =>
        view.state === 'silent' ? view : { ...view, members: view.members.map((member) => ({ ...member, hostname: `host-${member.id}` })) },
    );
    const verdict = judge({ nodes, picture: { ...picture, views } }, 'cp-3');
    expect(verdict).toMatchObject({ state: 'refused', code: 'gate/etcd-quorum', facts: { left: 1 } });
  });
});

test('one member down of three: the arithmetic, and who', () => {
  expect(judge(pictureOf(3, { 'cp-3': 'silent' }), 'cp-2')).toEqual({
    state: 'refused',
    code: 'gate/etcd-quorum',
    facts: { node: 'cp-2', members: 3, left: 1, needed: 2, because: [{ member: 'cp-3', reason: 'no answer (refused)' }] },
  });
});

test('a member of five that is down leaves enough, and is a reason all the same', () => {
  expect(judge(pictureOf(5, { 'cp-5': 'silent' }), 'cp-2')).toEqual({
    state: 'refused',
    code: 'gate/etcd-unhealthy',
    facts: { node: 'cp-2', problems: [{ member: 'cp-5', reason: 'no answer (refused)' }] },
  });
});

test('the broken member itself may go: it takes nothing away', () => {
  expect(judge(pictureOf(3, { 'cp-3': 'silent' }), 'cp-3')).toEqual({ state: 'passed', seen: 'etcd stays 2 of 3, leader cp-1' });
});

describe('one or two members', () => {
  test('stand still meanwhile, and only with consent', () => {
    expect([1, 2].map((size) => judge(pictureOf(size), 'cp-1'))).toEqual([
      { state: 'refused', code: 'gate/etcd-downtime', facts: { node: 'cp-1', members: 1 } },
      { state: 'refused', code: 'gate/etcd-downtime', facts: { node: 'cp-1', members: 2 } },
    ]);
    expect([1, 2].map((size) => judge(pictureOf(size), 'cp-1', { acceptsDowntime: true }))).toEqual([
      { state: 'passed', seen: 'etcd stands still meanwhile (1 member), leader cp-1' },
      { state: 'passed', seen: 'etcd stands still meanwhile (2 members), leader cp-1' },
    ]);
  });

  test('consent does not cover a second member that is not well', () => {
    expect(judge(pictureOf(2, { 'cp-2': { isHealthy: false } }), 'cp-1', { acceptsDowntime: true })).toMatchObject({
      code: 'gate/etcd-quorum',
      facts: { left: 0, needed: 2 },
    });
  });

  test('the last voter never leaves for good, consent or not', () => {
    expect(judge(pictureOf(1), 'cp-1', { etcd: 'for-good', acceptsDowntime: true })).toEqual({
      state: 'refused',
      code: 'gate/etcd-last-voter',
      facts: { node: 'cp-1' },
    });
  });

  test('one of two leaves for good: the other one goes on', () => {
    expect(judge(pictureOf(2), 'cp-2', { etcd: 'for-good' })).toEqual({ state: 'passed', seen: 'etcd stays 1 of 1, leader cp-1' });
  });
});

describe('what makes the arithmetic a guess', () => {
  const reasons: readonly (readonly [string, Readonly<Record<string, Partial<Answered>>>, string])[] = [
    ['not healthy', { 'cp-3': { isHealthy: false } }, 'its etcd is not healthy'],
    ['not running', { 'cp-3': { stage: 'rebooting' } }, 'it is rebooting'],
    ['cordoned', { 'cp-3': { isCordoned: true } }, 'it is cordoned'],
    ['no leader in sight', { 'cp-3': { leader: 0n } }, 'it sees no leader'],
    ['far behind', { 'cp-3': { raftAppliedIndex: 3999n } }, 'it is 1001 entries behind'],
    [
      'an error of its own',
      { 'cp-3': { errors: ['etcdserver: mvcc: database space exceeded'] } },
      'etcdserver: mvcc: database space exceeded',
    ],
    ['an alarm', { 'cp-1': { alarms: [{ memberId: 3n, alarm: 'NOSPACE' }] } }, 'alarm NOSPACE'],
  ];
  for (const [title, change, reason] of reasons) {
    test(title, () => {
      const answer = judge(pictureOf(5, change), 'cp-2');
      expect(answer).toEqual({
        state: 'refused',
        code: 'gate/etcd-unhealthy',
        facts: { node: 'cp-2', problems: [{ member: 'cp-3', reason }] },
      });
    });
  }

  test('back for less than a minute: how long that lasts, unless something else is wrong too', () => {
    const facts = (change: Parameters<typeof pictureOf>[1], voters = 5) => judge(pictureOf(voters, change), 'cp-2');
    const booted = { 'cp-3': { bootedForMs: 42_000 } };
    const problem = { member: 'cp-3', reason: 'it booted 42 s ago' };
    expect(facts(booted)).toEqual({
      state: 'refused',
      code: 'gate/etcd-unhealthy',
      facts: { node: 'cp-2', problems: [problem], passesInMs: 18_000 },
    });
    expect(facts(booted, 3)).toEqual({
      state: 'refused',
      code: 'gate/etcd-quorum',
      facts: { node: 'cp-2', members: 3, left: 1, needed: 2, because: [problem], passesInMs: 18_000 },
    });
    expect(facts({ ...booted, 'cp-1': { isCordoned: true } })).toEqual({
      state: 'refused',
      code: 'gate/etcd-quorum',
      facts: { node: 'cp-2', members: 5, left: 2, needed: 3, because: [{ member: 'cp-1', reason: 'it is cordoned' }, problem] },
    });
  });

  test('a thousand entries behind is not far', () => {
    expect(judge(pictureOf(3, { 'cp-3': { raftAppliedIndex: 4000n } }), 'cp-2').state).toBe('passed');
  });

  test('other members in another view', () => {
    const { nodes, picture } = pictureOf(3);
    const [first, second, third] = picture.views as readonly Answered[];
    const stale = { ...(third as Answered), members: (third as Answered).members.slice(0, 2) };
    const answer = judge({ nodes, picture: { ...picture, views: [first, second, stale] as EtcdView[] } }, 'cp-2');
    expect(answer.facts).toMatchObject({
      problems: [{ member: 'cp-3', reason: 'it sees other members than cp-1' }],
    });
  });

  test('a member that nobody knows, and one that was added and has not started, count in the majority', () => {
    const { nodes, picture } = pictureOf(3);
    const strangers = [
      { id: 77n, hostname: 'cp-9', isLearner: false },
      { id: 0xabcn, hostname: '', isLearner: false },
    ];
    const views = picture.views.map((view) => ({ ...view, members: [...(view as Answered).members, ...strangers] }) as EtcdView);
    expect(judge({ nodes, picture: { ...picture, views } }, 'cp-2')).toEqual({
      state: 'refused',
      code: 'gate/etcd-quorum',
      facts: {
        node: 'cp-2',
        members: 5,
        left: 2,
        needed: 3,
        because: [
          { member: 'cp-9', reason: 'it is a member and not in the inventory' },
          { member: 'abc', reason: 'this member was added and has not started' },
        ],
      },
    });
  });

  test('a host name that is not the one of the inventory is no stranger: the machine says which member it is', () => {
    const { nodes, picture } = pictureOf(3);
    const views = picture.views.map((view) => ({
      ...view,
      members: (view as Answered).members.map((member) => ({ ...member, hostname: `${member.hostname}.home.example` })),
    })) as EtcdView[];
    expect(judge({ nodes, picture: { ...picture, views } }, 'cp-2')).toEqual({ state: 'passed', seen: 'etcd stays 2 of 3, leader cp-1' });
  });

  test('different leaders, different terms', () => {
    const split = { 'cp-3': { leader: 3n, raftTerm: 9n } };
    expect(judge(pictureOf(3, split), 'cp-2').facts).toMatchObject({
      problems: expect.arrayContaining([{ member: 'cp-3', reason: 'the members see different leaders' }]),
    });
    expect(judge(pictureOf(3, { 'cp-3': { raftTerm: 9n } }), 'cp-2').facts).toMatchObject({
      problems: expect.arrayContaining([{ member: 'cp-3', reason: 'the members are in different terms' }]),
    });
  });

  test('nobody answers', () => {
    expect(judge(pictureOf(3, { 'cp-1': 'silent', 'cp-2': 'silent', 'cp-3': 'silent' }), 'cp-2')).toMatchObject({
      code: 'gate/etcd-unhealthy',
      facts: { problems: ['cp-1', 'cp-2', 'cp-3'].map((member) => ({ member, reason: 'no answer (refused)' })) },
    });
  });
});
