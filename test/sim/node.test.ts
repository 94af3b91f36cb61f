import { expect, test } from 'vitest';
import type { SimulatedRun } from 'talos-tk/testing';
import { etcdSnapshot } from '../../lib/sim/talos/etcd-snapshot.ts';
import { simulate } from '../rig/watched.ts';

const codes = ({ exitCode, failures }: SimulatedRun) => ({ exitCode, codes: failures.map(({ code }) => code) });
const fine = { exitCode: 0, codes: [] };
const now = new AbortController().signal;
type Views = { readonly views: readonly { readonly members: readonly { readonly hostname: string; readonly isLearner: boolean }[] }[] };
const membersIn = ({ value }: SimulatedRun): readonly string[] =>
  (value as Views).views[0]?.members
    .filter((one) => !one.isLearner)
    .map((one) => one.hostname)
    .sort() ?? [];

test('node:remove takes a node that works out of etcd, of Kubernetes and of its disks', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 1 });
  expect((await rig.plan('node:remove', { node: 'cp-3' })).tasks[0]?.steps).toEqual([
    { decision: 'run', title: 'etcd snapshot' },
    {
      decision: 'run',
      title: 'drain and wipe cp-3',
      node: 'cp-3',
      reason: 'etcd: 3 members, 1 of which may fail → 2 members, none of which may fail',
      calls: [{ target: 'cp-3', call: 'machine.MachineService/Reset' }],
    },
    { decision: 'run', title: 'delete Node', calls: [{ target: 'cp-3', call: 'delete Node' }] },
  ]);
  const removed = await rig.tk('node:remove', { node: 'cp-3' });
  expect({ ...codes(removed), value: removed.value }).toEqual({
    ...fine,
    value: { node: 'cp-3', etcd: '2 members, none of which may fail' },
  });
  expect(membersIn(await rig.tk('talos:etcd-members', { node: 'cp-1' }))).toEqual(['cp-1', 'cp-2']);
  expect(await rig.cluster.operations.kubeNodeName(rig.cluster.find({ node: 'cp-3' }), now)).toBeUndefined();
  // Two are left: neither may go without consent, and asked for again there is nothing left to do.
  expect(codes(await rig.tk('node:remove', { node: 'cp-2' })).exitCode).toBe(3);
  const again = await rig.tk('node:remove', { node: 'cp-3' });
  expect({ ...codes(again), changes: again.counts.steps.changes }).toEqual({ ...fine, changes: 0 });
});

test('node:remove of a node that is gone removes what is left of it', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 0 });
  rig.hand.losePower('cp-2', 36_000_000);
  await rig.pass(90_000);
  expect((await rig.plan('node:remove', { node: 'cp-2' })).tasks[0]?.steps.map(({ decision, title }) => `${decision} ${title}`)).toEqual([
    'run etcd snapshot',
    'skip drain and wipe cp-2',
    'run remove cp-2 from etcd',
    'run delete Node',
  ]);
  expect(codes(await rig.tk('node:remove', { node: 'cp-2' }))).toEqual(fine);
  expect(membersIn(await rig.tk('talos:etcd-members', { node: 'cp-1' }))).toEqual(['cp-1', 'cp-3']);
});

test('node:remove wipes a control plane that etcd has let go and that was switched on again', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 0 });
  rig.hand.losePower('cp-3', 10 * 60_000);
  await rig.pass(90_000);
  expect(codes(await rig.tk('talos:etcd-remove-member', { member: 'cp-3' }))).toEqual(fine);
  await rig.pass(15 * 60_000);
  // Only its own etcd is in trouble; of one that is a member still nobody would say so.
  expect((await rig.plan('node:remove', { node: 'cp-3' })).tasks[0]?.steps).toEqual([
    { decision: 'run', title: 'etcd snapshot' },
    {
      decision: 'run',
      title: 'drain and wipe cp-3',
      node: 'cp-3',
      reason: 'it is no member of etcd any more',
      calls: [{ target: 'cp-3', call: 'machine.MachineService/Reset' }],
    },
    { decision: 'run', title: 'delete Node', calls: [{ target: 'cp-3', call: 'delete Node' }] },
  ]);
  expect(codes(await rig.tk('node:remove', { node: 'cp-3' }))).toEqual(fine);
  expect(membersIn(await rig.tk('talos:etcd-members', { node: 'cp-1' }))).toEqual(['cp-1', 'cp-2']);
  expect((await rig.cluster.machines.state(rig.cluster.find({ node: 'cp-3' }), now)).state).toBe('unreachable');

  // A member that does not work is left alone.
  rig.hand.stopEtcd('cp-2');
  await rig.pass(1000);
  expect(codes(await rig.tk('node:remove', { node: 'cp-2' })).codes).toEqual(['node/half-works']);
});

test('node:replace removes a failed control plane first, and lets the successor of one that works join first', {
  timeout: 90_000,
}, async () => {
  await using rig = await simulate({ controlPlanes: 4, workers: 0 });
  const wiped = { labels: ['STATE', 'EPHEMERAL'], reboot: true };
  expect(codes(await rig.tk('talos:reset', { node: 'cp-4', ...wiped }))).toEqual(fine);
  expect(codes(await rig.tk('node:replace', { node: 'cp-1' }))).toEqual({ exitCode: 3, codes: ['task/refused'] });
  const plan = await rig.plan('node:replace', { node: 'cp-1', with: 'cp-4' });
  expect(plan.tasks[0]?.steps.map(({ decision, title }) => `${decision} ${title}`)).toEqual([
    'run join cp-4',
    'run etcd snapshot',
    'run drain and wipe cp-1',
    'run delete Node',
  ]);
  expect(plan.tasks[0]?.steps[0]).toMatchObject({
    reason: 'config and install, etcd: 3 members, 1 of which may fail → 4 members, 1 of which may fail',
  });
  const replaced = await rig.tk('node:replace', { node: 'cp-1', with: 'cp-4' });
  expect({ ...codes(replaced), value: replaced.value }).toEqual({
    ...fine,
    value: { removed: 'cp-1', joined: 'cp-4', order: 'added first', etcd: '3 members, 1 of which may fail' },
  });
  expect(membersIn(await rig.tk('talos:etcd-members', { node: 'cp-2' }))).toEqual(['cp-2', 'cp-3', 'cp-4']);
});

test('nothing is removed for a machine that is not there, or still is the old one', { timeout: 90_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 2 });
  const etcd = async () => membersIn(await rig.tk('talos:etcd-members', { node: 'cp-1' }));
  rig.hand.losePower('cp-3', 36_000_000);
  rig.hand.losePower('worker-2', 36_000_000);
  await rig.pass(90_000);
  // Dark, and nothing else at its address.
  expect((await rig.plan('node:replace', { node: 'cp-3' })).tasks[0]?.failure?.code).toBe('node/no-successor');
  const dark = await rig.tk('node:replace', { node: 'cp-3' });
  expect({ ...codes(dark), changes: dark.counts.steps.changes, text: dark.text }).toMatchInlineSnapshot(`
    {
      "changes": 0,
      "codes": [
        "node/no-successor",
      ],
      "exitCode": 3,
      "text": "error[node/no-successor]: nothing was removed: the machine that is to take the place of \`cp-3\` is not there
    because: nobody answers at 192.168.42.12
    step: node:replace node=cp-3 › look
    help: boot it (npx tk talos:image-url names its image), or take the old one out alone: npx tk node:remove NODE=cp-3",
    }
  `);
  expect(codes(await rig.tk('node:replace', { node: 'worker-2' })).codes).toEqual(['node/no-successor']);
  expect(await etcd()).toEqual(['cp-1', 'cp-2', 'cp-3']);

  // It answers, its etcd does not work: whether its data counts is not ours to say; and new hardware it is not.
  rig.hand.stopEtcd('cp-2');
  await rig.pass(1000);
  expect(codes(await rig.tk('node:replace', { node: 'cp-2' })).codes).toEqual(['node/half-works']);
  const forced = await rig.tk('node:replace', { node: 'cp-2', override: ['etcd-quorum=it is broken'] });
  expect({ ...codes(forced), changes: forced.counts.steps.changes, text: forced.text }).toMatchInlineSnapshot(`
    {
      "changes": 0,
      "codes": [
        "node/no-successor",
      ],
      "exitCode": 3,
      "text": "error[node/no-successor]: nothing was removed: the machine that is to take the place of \`cp-2\` is not there
    because: what answers at 192.168.42.11 has its config already
    step: node:replace node=cp-2 override=["etcd-quorum=it is broken"] › look
    help: switch it off and boot the new machine; or wipe this one: npx tk talos:reset NODE=cp-2 LABELS=STATE,EPHEMERAL REBOOT=true",
    }
  `);
});

test('a failed control plane is replaced by new hardware under the same name', { timeout: 90_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 0 });
  expect(codes(await rig.tk('talos:reset', { node: 'cp-3', labels: ['STATE', 'EPHEMERAL'], reboot: true }))).toEqual(fine);
  const replaced = await rig.tk('node:replace', { node: 'cp-3' });
  expect({ ...codes(replaced), value: replaced.value }).toEqual({
    ...fine,
    value: { removed: 'cp-3', joined: 'cp-3', order: 'removed first', etcd: '3 members, 1 of which may fail' },
  });
  expect(membersIn(await rig.tk('talos:etcd-members', { node: 'cp-1' }))).toEqual(['cp-1', 'cp-2', 'cp-3']);
});

test('etcd is recovered from a snapshot after its quorum is lost, and never while a member works', { timeout: 90_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 1 });
  expect(codes(await rig.tk('talos:etcd-snapshot', { path: 'kept.db' }))).toEqual(fine);
  expect(codes(await rig.tk('talos:etcd-recover', { snapshot: 'kept.db' }))).toEqual({
    exitCode: 3,
    codes: ['etcd/works', 'etcd/works', 'etcd/works'],
  });
  expect(codes(await rig.tk('talos:etcd-recover', { snapshot: 'none.db' }))).toEqual({ exitCode: 2, codes: ['etcd/no-snapshot'] });
  await rig.files.write(`${rig.root}/broken.db`, 'x'.repeat(1000));
  expect(codes(await rig.tk('talos:etcd-recover', { snapshot: 'broken.db' }))).toEqual({ exitCode: 1, codes: ['etcd/snapshot-invalid'] });

  for (const name of ['cp-1', 'cp-2', 'cp-3']) rig.hand.stopEtcd(name);
  rig.hand.losePower('cp-3', 600_000);
  await rig.pass(30_000);
  const refused = await rig.tk('talos:etcd-recover', { snapshot: 'kept.db' });
  expect({ ...codes(refused), said: refused.failures[0]?.facts['message'] }).toEqual({
    exitCode: 3,
    codes: ['task/refused'],
    said: 'cp-3 cannot be asked, and may hold data of etcd',
  });
  await rig.pass(900_000);
  for (const name of ['cp-1', 'cp-2', 'cp-3']) rig.hand.stopEtcd(name);
  await rig.pass(5000);
  const { hash } = await rig.cluster.operations.recovery.file('kept.db', { skipHashCheck: false });
  const recovered = await rig.tk('talos:etcd-recover', { snapshot: 'kept.db' });
  expect({ ...codes(recovered), text: recovered.text, value: recovered.value }).toEqual({
    ...fine,
    text: '',
    value: { revision: '2', hash, target: 'cp-1', etcd: '3 members, 1 of which may fail' },
  });
  expect(membersIn(await rig.tk('talos:etcd-members', { node: 'cp-2' }))).toEqual(['cp-1', 'cp-2', 'cp-3']);
  expect(codes(await rig.tk('talos:health', { until: 'control-plane' }))).toEqual(fine);
});

test('nothing that works is wiped because one answer got lost', { timeout: 60_000 }, async () => {
  for (const [method, atMost] of [
    ['EtcdStatus', 1],
    ['EtcdMemberList', 1],
    ['ServiceList', 3],
  ] as const) {
    const only = { path: `/machine.MachineService/${method}` };
    await using rig = await simulate({
      controlPlanes: 1,
      workers: 0,
      faults: [{ point: 'wire/reply', kind: 'never', probability: 1, only, fromMs: 86_400_000, atMost }],
    });
    expect(codes(await rig.tk('talos:etcd-snapshot', { path: 'kept.db' }))).toEqual(fine);
    await rig.pass(86_400_000);
    expect({ method, ...codes(await rig.tk('talos:etcd-recover', { snapshot: 'kept.db' })) }).toEqual({
      method,
      exitCode: 3,
      codes: ['etcd/works'],
    });
  }
});

test('the snapshot of another cluster is refused with what differs, and taken with a reason that stays in the journal', {
  timeout: 90_000,
}, async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 0 });
  const kubernetesCa = '-----BEGIN CERTIFICATE-----\nQSBsaW5l\n-----END CERTIFICATE-----\n';
  // Called as this one, by somebody who calls machines as everybody does.
  const members = [{ id: '77', name: 'cp-1', address: '192.168.42.10' }];
  const foreign = etcdSnapshot({ members, nodes: ['cp-1', 'worker-1'], kubernetesCa });
  await rig.files.write(`${rig.root}/other.db`, foreign);
  await rig.files.write(`${rig.root}/bare.db`, foreign.subarray(0, -32));
  rig.hand.stopEtcd('cp-1');
  await rig.pass(5000);
  const refused = await rig.tk('talos:etcd-recover', { snapshot: 'other.db' });
  expect({ ...codes(refused), changes: refused.counts.steps.changes }).toEqual({
    exitCode: 3,
    codes: ['etcd/snapshot-foreign'],
    changes: 0,
  });
  expect(refused.text.replaceAll(/not [0-9a-f]{16}/g, 'not OURS')).toMatchInlineSnapshot(`
    "error[etcd/snapshot-foreign]: \`other.db\` is the snapshot of another cluster
    because: its Kubernetes trusts the authority 5b1c04dc1de04a71, not OURS; the names of its members are the same
    step: talos:etcd-recover snapshot=other.db › snapshot
    help: take one of this cluster; when it is meant (new names, a rotated authority): --other-cluster "why""
  `);
  expect((await rig.plan('talos:etcd-recover', { snapshot: 'other.db' })).tasks[0]?.failure?.code).toBe('etcd/snapshot-foreign');
  // A database without its digest is one only when that is agreed to.
  const meant = { snapshot: 'bare.db', otherCluster: 'moved to new hardware' };
  expect(codes(await rig.tk('talos:etcd-recover', meant))).toEqual({ exitCode: 1, codes: ['etcd/snapshot-invalid'] });
  expect(codes(await rig.tk('talos:etcd-recover', { ...meant, skipHashCheck: true }))).toEqual(fine);
  const runs = await rig.files.list(`${rig.root}/.tk/sim/runs`);
  const journals = await Promise.all(runs.map(({ name }) => rig.files.readText(`${rig.root}/.tk/sim/runs/${name}/journal.jsonl`)));
  expect(journals.join('\n')).toContain('"subject":"snapshot of another cluster: etcd/snapshot-foreign","reason":"moved to new hardware"');
});

test('etcd is recovered on what is left when the other machines are lost for good', { timeout: 90_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 0 });
  expect(codes(await rig.tk('talos:etcd-snapshot', { path: 'kept.db' }))).toEqual(fine);
  expect(codes(await rig.tk('talos:shutdown', { nodes: ['cp-1', 'cp-3'], acceptDowntime: true }))).toEqual(fine);
  const recover = (without: readonly string[], how: object = {}) => rig.tk('talos:etcd-recover', { snapshot: 'kept.db', without, ...how });
  // Nothing is touched before it is clear that the whole of it can be done.
  expect(codes(await recover(['cp-1', 'cp-9']))).toEqual({ exitCode: 2, codes: ['cluster/unknown-node'] });
  expect(codes(await recover(['cp-1', 'cp-2', 'cp-3']))).toEqual({ exitCode: 3, codes: ['task/refused'] });
  expect(codes(await recover(['cp-1', 'cp-3'], { node: 'cp-1' }))).toEqual({ exitCode: 3, codes: ['task/refused'] });
  expect(codes(await recover(['cp-1']))).toEqual({ exitCode: 3, codes: ['task/refused'] });
  const recovered = await recover(['cp-1', 'cp-3']);
  expect({ ...codes(recovered), text: recovered.text, value: recovered.value }).toMatchObject({
    ...fine,
    text: '',
    value: { target: 'cp-2', etcd: '1 member, none of which may fail' },
  });
  expect(membersIn(await rig.tk('talos:etcd-members', { node: 'cp-2' }))).toEqual(['cp-2']);
});
