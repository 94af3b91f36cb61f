import { expect, test } from 'vitest';
import type { SimulatedRun } from 'talos-tk/testing';
import { simulate } from '../../rig/watched.ts';

const shown = ({ exitCode, printed, text, value }: SimulatedRun) => ({ exitCode, printed, text, value });
const codes = ({ exitCode, failures }: SimulatedRun) => ({ exitCode, codes: failures.map(({ code }) => code) });

test('etcd is looked after: state, members, a checked snapshot, space given back, leadership moved', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 0 });
  const status = await rig.tk('talos:etcd-status');
  expect(status.printed.split('\n').map((line) => line.split(/ {2,}/).slice(0, 2).length)).toEqual([2, 2, 2, 2, 1]);
  expect(status.printed).toMatch(/^NODE {2}MEMBER .* LEADER .*\ncp-1 {2}[0-9a-f]{16} {2}21 MB {4}8\.4 MB \(40\.00%\) {2}[0-9a-f]{16} /);
  const members = await rig.tk('talos:etcd-members', { role: 'controlplane' });
  expect(members.value).toMatchObject({
    views: ['cp-1', 'cp-2', 'cp-3'].map((node) => ({ node, members: [{ hostname: 'cp-1' }, { hostname: 'cp-2' }, { hostname: 'cp-3' }] })),
  });

  const snapshot = await rig.tk('talos:etcd-snapshot');
  const { path, ...kept } = snapshot.value as { readonly path: string };
  expect(path).toMatch(/^talos\/backups\/etcd-\d{8}T\d{6}Z\.db$/);
  expect(snapshot.printed).toBe(`${path}\n`);
  expect(kept).toEqual({ from: 'cp-2', sizeBytes: 32_800, revision: '2', keys: 4, hash: 'b15ca25b' });
  expect(await rig.files.stat(`${rig.root}/${path}`)).toMatchObject({ sizeBytes: 32_800, mode: 0o600 });
  expect(await rig.files.readText(`${rig.root}/talos/backups/.gitignore`)).toContain('etcd-');
  expect(codes(await rig.tk('talos:etcd-snapshot', { node: 'cp-3', path: 'elsewhere.db' }))).toEqual({ exitCode: 0, codes: [] });
  expect(await rig.files.stat(`${rig.root}/elsewhere.db`)).toMatchObject({ mode: 0o600 });

  const plan = await rig.plan('talos:etcd-defrag', { always: true });
  expect(plan.tasks[0]?.steps).toEqual(
    ['cp-1', 'cp-2', 'cp-3'].map((node) => ({
      decision: 'run',
      title: 'defragment',
      node,
      reason: '8.4 MB of 21 MB in use',
      calls: [{ target: node, call: 'machine.MachineService/EtcdDefragment' }],
    })),
  );
  // Followers first; before it is the leader's turn it hands over.
  const defragmented = await rig.tk('talos:etcd-defrag', { always: true });
  expect(defragmented.value).toMatchObject({ members: [{ node: 'cp-2' }, { node: 'cp-3' }, { node: 'cp-1' }] });
  expect(shown(await rig.tk('talos:etcd-defrag'))).toEqual({ exitCode: 0, printed: '', text: '', value: { members: [] } });

  const led = (await rig.cluster.lifecycle.etcd(new AbortController().signal)).views.find(
    (view) => view.state === 'answered' && view.memberId === view.leader,
  );
  expect(String(led?.node.name)).not.toBe('cp-1');
  expect(shown(await rig.tk('talos:etcd-leadership', { node: 'cp-1' }))).toMatchObject({ exitCode: 0, value: { leader: null } });
  const moved = await rig.tk('talos:etcd-leadership', { node: String(led?.node.name) });
  expect(moved.value).toEqual({ leader: expect.not.stringMatching(String(led?.node.name)) as unknown });
});

test('an alarm is shown, mended and disarmed', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 0 });
  expect(shown(await rig.tk('talos:etcd-alarms'))).toEqual({ exitCode: 0, printed: 'no alarms\n', text: '', value: { alarms: [] } });
  rig.hand.raiseAlarm('cp-2', 'NOSPACE');
  const alarms = await rig.tk('talos:etcd-alarms', { node: 'cp-1' });
  expect(alarms.printed).toMatch(/^NODE {2}MEMBER {12}ALARM\ncp-1 {2}[0-9a-f]{16} {2}NOSPACE\n$/);
  // Every member tells of it, and what mends it is not held up by it.
  expect(codes(await rig.tk('talos:etcd-defrag', { always: true }))).toEqual({ exitCode: 0, codes: [] });
  const disarmed = await rig.tk('talos:etcd-disarm');
  expect(disarmed.value).toEqual({ disarmed: [expect.stringMatching(/^[0-9a-f]{16} NOSPACE$/) as unknown] });
  expect((await rig.tk('talos:etcd-alarms')).printed).toBe('no alarms\n');
  expect((await rig.plan('talos:etcd-disarm')).tasks[0]?.steps).toEqual([
    { decision: 'skip', title: 'disarm alarms', reason: 'there are none' },
  ]);
});

test('a member may only pause while the others keep quorum', { timeout: 60_000 }, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 0 });
  rig.hand.losePower('cp-3', 3_600_000);
  await rig.pass(20_000);
  const refused = await rig.tk('talos:etcd-defrag', { nodes: ['cp-1'], always: true });
  expect(codes(refused)).toEqual({ exitCode: 3, codes: ['gate/etcd-quorum'] });
  expect(refused.failures[0]?.facts).toMatchObject({ node: 'cp-1', members: 3, left: 1, needed: 2 });
  // The others are shown although one is silent.
  const status = await rig.tk('talos:etcd-status');
  expect(codes(status)).toEqual({ exitCode: 1, codes: ['talos/unreachable'] });
  expect(status.printed.split('\n').filter((line) => line.startsWith('cp-'))).toHaveLength(2);
});

test('a broken member is removed after its name was typed and a snapshot was kept; one that works is not', {
  timeout: 60_000,
}, async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 0, answers: { 'talos:etcd-remove-member': 'cp-2' } });
  expect(codes(await rig.tk('talos:etcd-remove-member', { member: 'cp-3' }))).toEqual({ exitCode: 3, codes: ['etcd/member-works'] });
  expect(codes(await rig.tk('talos:etcd-remove-member', { member: 'cp3' }))).toEqual({ exitCode: 2, codes: ['etcd/unknown-member'] });
  rig.hand.losePower('cp-3', 36_000_000);
  await rig.pass(20_000);
  const plan = await rig.plan('talos:etcd-remove-member', { member: 'cp-3' });
  expect(plan.tasks[0]?.steps).toEqual([
    { decision: 'run', title: 'etcd snapshot' },
    {
      decision: 'run',
      title: 'remove cp-3',
      reason: '3 members, 1 of which may fail → 2 members, none of which may fail',
      calls: [{ target: 'etcd', call: 'machine.MachineService/EtcdRemoveMemberByID' }],
    },
  ]);
  const removed = await rig.tk('talos:etcd-remove-member', { member: 'cp-3' });
  expect({ ...shown(removed), value: undefined }).toMatchObject({ exitCode: 0, text: '' });
  expect(removed.value).toMatchObject({ member: 'cp-3', snapshot: expect.stringMatching(/^talos\/backups\//) as unknown });
  expect((await rig.tk('talos:etcd-members', { node: 'cp-1' })).printed).not.toContain('cp-3');
  // Two are left: neither can be spared.
  rig.hand.losePower('cp-2', 36_000_000);
  await rig.pass(20_000);
  expect(codes(await rig.tk('talos:etcd-remove-member', { member: 'cp-2' }))).toEqual({ exitCode: 3, codes: ['gate/etcd-quorum'] });
});
