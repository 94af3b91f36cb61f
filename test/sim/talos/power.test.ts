import { expect, test } from 'vitest';
import type { SimulatedRepository, SimulatedRun } from 'talos-tk/testing';
import { simulate } from '../../rig/watched.ts';

const codes = ({ exitCode, failures }: SimulatedRun) => ({ exitCode, codes: failures.map(({ code }) => code) });
const fine = { exitCode: 0, codes: [] };
const now = new AbortController().signal;

async function bootIds(rig: SimulatedRepository): Promise<Readonly<Record<string, string>>> {
  const ids = await Promise.all(
    rig.cluster.nodes.map(async (node) => [node.name, (await rig.cluster.lifecycle.boot(node, now)).bootId] as const),
  );
  return Object.fromEntries(ids);
}

const changed = (before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): readonly string[] =>
  Object.keys(before).filter((name) => before[name] !== after[name]);

test('talos:reboot takes one machine away, or all of them one after the other, and never two', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 2 });
  const before = await bootIds(rig);
  expect(codes(await rig.tk('talos:reboot'))).toEqual({ exitCode: 2, codes: ['cluster/node-not-named'] });
  expect(codes(await rig.tk('talos:reboot', { node: 'worker-1' }))).toEqual(fine);
  const one = await bootIds(rig);
  expect(changed(before, one)).toEqual(['worker-1']);

  const plan = await rig.plan('talos:reboot', { all: true });
  expect(plan.tasks[0]?.steps.map((step) => `${step.decision} ${step.title} ${step.node ?? ''}`.trim())).toEqual([
    'run etcd snapshot',
    'run reboot cp-1',
    'run reboot cp-2',
    'run reboot cp-3',
    'run reboot worker-1',
    'run reboot worker-2',
  ]);
  const all = await rig.tk('talos:reboot', { all: true });
  expect({ ...codes(all), value: all.value }).toEqual({ ...fine, value: { rebooted: ['cp-1', 'cp-2', 'cp-3', 'worker-1', 'worker-2'] } });
  expect(changed(one, await bootIds(rig))).toEqual(['cp-1', 'cp-2', 'cp-3', 'worker-1', 'worker-2']);
  for (const node of rig.cluster.nodes) expect((await rig.cluster.lifecycle.facts(node, now)).kube?.cordon.state).toBe('none');
});

test('a reboot of several that stopped in the middle does what is left when it is asked for again', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 2 });
  const kube = await rig.cluster.kubernetes.writer();
  const held = { app: 'held' };
  await kube.create(
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'held', namespace: 'default', labels: held },
      spec: { nodeSelector: { 'kubernetes.io/hostname': 'worker-2' }, containers: [{ name: 'held', image: 'held:1' }] },
    },
    now,
  );
  const budget = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', namespace: 'default', name: 'held' };
  await kube.create(
    { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: budget, spec: { minAvailable: 1, selector: { matchLabels: held } } },
    now,
  );
  await rig.pass(30_000);
  const before = await bootIds(rig);
  const params = { role: 'worker', drainTimeout: '30s' };
  const stopped = await rig.tk('talos:reboot', params);
  expect(codes(stopped)).toEqual({ exitCode: 1, codes: ['drain/blocked'] });
  expect(stopped.events.findLast((event) => event.event === 'report')).toMatchObject({ rows: { Done: 'worker-1', Pending: 'worker-2' } });
  const half = await bootIds(rig);
  expect(changed(before, half)).toEqual(['worker-1']);
  // What the run had cordoned it has uncordoned again.
  for (const node of rig.cluster.nodes) expect((await rig.cluster.lifecycle.facts(node, now)).kube?.cordon.state).toBe('none');

  await kube.delete(budget, {}, now);
  expect(codes(await rig.tk('talos:reboot', params))).toEqual(fine);
  expect(changed(half, await bootIds(rig))).toEqual(['worker-2']);
  // Asked for once more, it is all of them once more.
  const third = await bootIds(rig);
  expect(codes(await rig.tk('talos:reboot', params))).toEqual(fine);
  expect(changed(third, await bootIds(rig))).toEqual(['worker-1', 'worker-2']);
});

test('a cordon of somebody else is told and kept; one of ours is taken back', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 2 });
  expect(codes(await rig.tk('talos:drain', { node: 'worker-2' }))).toEqual(fine);
  expect((await rig.plan('talos:cordon', { node: 'worker-2' })).tasks[0]?.steps).toEqual([
    { decision: 'skip', title: 'cordon', node: 'worker-2', reason: 'it is cordoned' },
  ]);
  expect(codes(await rig.tk('talos:uncordon', { node: 'worker-2' }))).toEqual(fine);
  const kube = await rig.cluster.kubernetes.writer();
  await kube.patch({ apiVersion: 'v1', kind: 'Node', name: 'worker-1' }, { type: 'merge', value: { spec: { unschedulable: true } } }, now);
  expect(codes(await rig.tk('talos:uncordon', { node: 'worker-1' }))).toEqual({ exitCode: 3, codes: ['task/refused'] });
  expect(codes(await rig.tk('talos:uncordon', { node: 'worker-1', foreign: true }))).toEqual(fine);
  expect((await rig.tk('talos:uncordon', { node: 'worker-1' })).value).toEqual({ node: 'worker-1', changed: false });
});

test('talos:shutdown goes on until the machine is dark; the last that etcd can spare stays', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 1 });
  expect((await rig.tk('talos:shutdown', { node: 'cp-3' })).value).toEqual({ off: ['cp-3'] });
  expect((await rig.cluster.machines.state(rig.cluster.find({ node: 'cp-3' }), now)).state).toBe('unreachable');
  const refused = await rig.tk('talos:shutdown', { node: 'cp-2' });
  expect(codes(refused)).toMatchObject({ exitCode: 3 });
  expect(codes(refused).codes).toContain('gate/etcd-quorum');
});

test('a whole cluster is switched off with consent: workers first, and the same line goes on where it was cut off', {
  timeout: 60_000,
}, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 2 });
  const states = async () =>
    Object.fromEntries(
      await Promise.all(rig.cluster.nodes.map(async (node) => [node.name, (await rig.cluster.machines.state(node, now)).state] as const)),
    );
  expect(codes(await rig.tk('talos:shutdown', { all: true }))).toEqual({ exitCode: 3, codes: ['task/refused'] });
  // Workers alone: whoever this run has switched off keeps nobody waiting.
  const workers = await rig.tk('talos:shutdown', { role: 'worker', drain: 'skip' });
  expect({ ...codes(workers), text: workers.text, value: workers.value }).toEqual({
    ...fine,
    text: '',
    value: { off: ['worker-1', 'worker-2'] },
  });
  rig.hand.pressPower('worker-1');
  rig.hand.pressPower('worker-2');
  await rig.pass(300_000);
  expect(
    (await rig.plan('talos:shutdown', { all: true, acceptDowntime: true })).tasks[0]?.steps.map(({ title, node }) => [title, node]),
  ).toEqual(
    [['etcd snapshot'], ...['worker-1', 'worker-2', 'cp-1', 'cp-2', 'cp-3'].map((node) => ['shutdown', node])].map(([title, node]) => [
      title,
      node,
    ]),
  );
  const cut = await rig.tk('talos:shutdown', { all: true, acceptDowntime: true }, { ctrlCAfterMs: 40_000 });
  expect({ exitCode: cut.exitCode, on: Object.values(await states()).filter((state) => state === 'configured').length }).toEqual({
    exitCode: 130,
    on: 3,
  });
  const off = await rig.tk('talos:shutdown', { all: true, acceptDowntime: true });
  expect({ ...codes(off), value: off.value }).toEqual({ ...fine, value: { off: ['worker-1', 'worker-2', 'cp-1', 'cp-2', 'cp-3'] } });
  expect(new Set(Object.values(await states()))).toEqual(new Set(['unreachable']));
  const again = await rig.tk('talos:shutdown', { all: true, acceptDowntime: true });
  expect({ ...codes(again), text: again.text, calls: again.counts.steps.changes }).toEqual({ ...fine, text: '', calls: 0 });
  for (const node of rig.cluster.nodes) rig.hand.pressPower(node.name);
  await rig.pass(300_000);
  expect(codes(await rig.tk('talos:health'))).toEqual(fine);
});

test('talos:reset asks for the name, wipes what was named, and leaves etcd whole', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 1, answers: { yes: true } });
  for (const [params, said] of [
    [{ wipe: 'system-disk', userDisks: ['/dev/sdb'] }, ['params/invalid user-disks']],
    [{ wipe: 'user-disks', userDisks: ['/dev/sdb'], labels: ['STATE'] }, ['params/invalid labels']],
    [{ wipe: 'user-disks' }, ['params/missing user-disks']],
    [{ labels: ['state', 'EPHEMERAL'] }, ['disk/unknown-volume STATE']],
    [{ userDisks: ['/dev/nvme0n1', '/dev/sdb'] }, ['disk/is-system', 'disk/unknown']],
  ] as const) {
    const run = await rig.tk('talos:reset', { node: 'worker-1', ...params });
    const told = run.failures.map(({ code, facts }) => [code, facts['param'] ?? facts['suggestion']].filter(Boolean).join(' '));
    expect({ exitCode: run.exitCode, touched: run.counts.steps.changes, told }).toEqual({ exitCode: 2, touched: 0, told: said });
  }
  const plan = await rig.plan('talos:reset', { node: 'cp-3' });
  expect(plan.tasks[0]?.steps.at(-1)).toMatchObject({ reason: 'the system disk, etcd stays 2 of 2, leader cp-1' });
  expect(codes(await rig.tk('talos:reset', { node: 'cp-3' }))).toEqual(fine);
  const members = (await rig.tk('talos:etcd-members', { node: 'cp-1' })).value as {
    readonly views: readonly { readonly members: readonly { readonly hostname: string }[] }[];
  };
  expect(members.views[0]?.members.map(({ hostname }) => hostname)).toEqual(['cp-1', 'cp-2']);

  const asked = await rig.tk(
    'talos:reset',
    { node: 'worker-1', labels: ['STATE', 'EPHEMERAL'], reboot: true, override: ['one-at-a-time=cp-3 was wiped'] },
    { yes: false },
  );
  expect(codes(asked)).toEqual(fine);
  expect((await rig.cluster.machines.state(rig.cluster.find({ node: 'worker-1' }), now)).state).toBe('maintenance');
});

test('talos:rollback boots what was installed before an upgrade; without such an installation Talos refuses', {
  timeout: 60_000,
}, async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 2, talos: 'v1.13.9' });
  expect(codes(await rig.tk('talos:upgrade-node', { node: 'worker-1', to: 'v1.13.10' }))).toEqual(fine);
  const plan = await rig.plan('talos:rollback', { node: 'worker-1' });
  expect(plan.tasks.flatMap(({ steps }) => steps).map(({ decision, title, reason }) => `${decision} ${title}: ${reason}`)).toEqual([
    'run rollback: runs v1.13.10 now',
  ]);
  const back = await rig.tk('talos:rollback', { node: 'worker-1' });
  expect({ ...codes(back), value: back.value }).toEqual({ ...fine, value: { node: 'worker-1', from: 'v1.13.10', to: 'v1.13.9' } });
  expect((await rig.cluster.lifecycle.facts(rig.cluster.find({ node: 'worker-1' }), now)).kube?.cordon.state).toBe('none');
  const refused = await rig.tk('talos:rollback', { node: 'worker-2' });
  expect({ ...codes(refused), text: refused.text }).toEqual({
    exitCode: 1,
    codes: ['node/nothing-before'],
    text: `error[node/nothing-before]: \`worker-2\` has nothing to roll back to: no other Talos than v1.13.9 was ever installed on it
because: its other boot slot is empty; nothing was rebooted
step: talos:rollback node=worker-2 › rollback
help: another version: npx tk talos:upgrade-node NODE=worker-2 TO=…`,
  });
  expect((await rig.cluster.lifecycle.facts(rig.cluster.find({ node: 'worker-2' }), now)).kube?.cordon.state).toBe('none');
});
