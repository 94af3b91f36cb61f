import { describe, expect, test } from 'vitest';
import { defineGate, gates } from 'talos-tk';
import { simulate, type SimulatedRepository } from 'talos-tk/testing';
import { stepsOf } from '../../rig/steps.ts';

const image = /factory\.talos\.dev\/\S+:v/g;
const told = (steps: readonly string[]) =>
  steps.map((step) => step.replaceAll(image, 'installer:v').replaceAll(/etcd-\d{8}T\d{6}Z/g, 'etcd-TIME'));

async function versionsOf(rig: SimulatedRepository): Promise<readonly string[]> {
  const { lifecycle, nodes } = rig.cluster;
  const surveyed = await lifecycle.survey(nodes, new AbortController().signal);
  return surveyed.map((one) =>
    one.state === 'silent'
      ? `${one.node.name} silent`
      : [one.node.name, one.facts.talosVersion, one.facts.kube?.cordon.state === 'none' ? '' : `cordoned ${one.facts.kube?.cordon.state}`]
          .filter(Boolean)
          .join(' '),
  );
}

test('Talos 1.12: the call that installs and reboots at once, leader last, and nothing left to do', async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 1, talos: 'v1.12.6' });
  const plan = await rig.plan('talos:upgrade', { to: 'v1.12.11' });
  expect(
    plan.tasks.flatMap(({ steps }) => steps).map((step) => `${step.decision} ${step.node ?? ''} ${step.title}: ${step.reason}`),
  ).toEqual([
    'run  pull the installer: cp-2 cp-3 cp-1 worker-1',
    'run  etcd snapshot: talos/backups, verified before anything reboots',
    'run cp-2 drain · install · reboot: v1.12.6 → v1.12.11, etcd stays 2 of 3, leader cp-1',
    'run cp-3 drain · install · reboot: v1.12.6 → v1.12.11',
    'run cp-1 move etcd leadership · drain · install · reboot: v1.12.6 → v1.12.11, leads etcd, goes last',
    'run worker-1 drain · install · reboot: v1.12.6 → v1.12.11',
  ]);
  expect(plan.counts).toEqual({ run: 6, skip: 0, unknown: 0, calls: 21 });
  expect(plan.tasks[0]?.headline).toBe('all 4 nodes change: Talos v1.12.6 → v1.12.11, schematic unchanged');
  expect(await versionsOf(rig)).toEqual(['cp-1 v1.12.6', 'cp-2 v1.12.6', 'cp-3 v1.12.6', 'worker-1 v1.12.6']);

  const run = await rig.tk('talos:upgrade', { to: 'v1.12.11' });
  expect({ exitCode: run.exitCode, text: run.text }).toEqual({ exitCode: 0, text: '' });
  const turn = (node: string, ...middle: string[]) => [
    `${node} look`,
    `${node} gates: 6 passed`,
    `${node} cordon`,
    `${node} drain: – no pod to move`,
    `${node} volumes: detached`,
    ...middle.map((step) => `${node} ${step}`),
    `${node} install and reboot: 7 passed`,
    `${node} return: Talos v1.12.11`,
    `${node} uncordon`,
    node,
  ];
  expect(told(stepsOf(run)).filter((step) => !step.includes(' pull'))).toEqual([
    'facts',
    'lease: kube-system/talos-tk',
    'etcd snapshot: talos/backups/etcd-TIME.db, revision 2',
    ...turn('cp-2', 'leadership: – another member leads'),
    'etcd settles',
    ...turn('cp-3', 'leadership: – another member leads'),
    'etcd settles',
    ...turn('cp-1', 'leadership: cp-3 leads'),
    'worker-1 look',
    'worker-1 gates: 5 passed',
    'worker-1 cordon',
    'worker-1 drain: 2 pods moved',
    'worker-1 volumes: detached',
    'worker-1 install and reboot: 6 passed',
    'worker-1 return: Talos v1.12.11',
    'worker-1 uncordon',
    'worker-1',
    'pins: talos/talconfig.yaml:3',
    'give the lease back',
  ]);
  // Everybody has the image before anybody is cordoned.
  const order = stepsOf(run);
  expect(order.findLastIndex((step) => step.includes(' pull'))).toBeLessThan(order.findIndex((step) => step.includes('cordon')));
  expect(await versionsOf(rig)).toEqual(['cp-1 v1.12.11', 'cp-2 v1.12.11', 'cp-3 v1.12.11', 'worker-1 v1.12.11']);

  const again = await rig.tk('talos:upgrade', { to: 'v1.12.11' });
  expect({ outcome: again.outcome, steps: stepsOf(again), counts: again.counts.steps }).toEqual({
    outcome: 'succeeded',
    steps: ['facts', 'pins: – the repository says so already'],
    counts: { checked: 2, changes: 0 },
  });
});

test('Talos 1.13: install, then reboot; workers side by side behind a canary', async () => {
  await using rig = await simulate({
    controlPlanes: 1,
    workers: 4,
    talos: 'v1.13.5',
    settings: { upgrade: { workers: { parallel: '50%' }, canary: 'worker-3' } },
  });
  const run = await rig.tk('talos:upgrade', { to: 'v1.13.9', role: 'worker' });
  expect({ exitCode: run.exitCode, text: run.text }).toEqual({ exitCode: 0, text: '' });
  const steps = stepsOf(run);
  const at = (step: string) => steps.indexOf(step);
  expect(steps.filter((step) => step.startsWith('worker-3'))).toEqual([
    expect.stringMatching(/^worker-3 pull: factory/),
    'worker-3 look',
    'worker-3 gates: 5 passed',
    'worker-3 cordon',
    'worker-3 drain: – no pod to move',
    'worker-3 volumes: detached',
    'worker-3 gates again: 6 passed',
    'worker-3 install: installation of Talos completed',
    'worker-3 reboot: 6 passed',
    'worker-3 return: Talos v1.13.9',
    'worker-3 uncordon',
    'worker-3',
  ]);
  expect(at('worker-3')).toBeLessThan(at('worker-1 look'));
  // Two at once: the second begins before the first has ended, the third after.
  expect(at('worker-2 look')).toBeLessThan(at('worker-1'));
  expect(at('worker-4 look')).toBeGreaterThan(Math.min(at('worker-1'), at('worker-2')));
  expect(await versionsOf(rig)).toEqual(['cp-1 v1.13.5', 'worker-1 v1.13.9', 'worker-2 v1.13.9', 'worker-3 v1.13.9', 'worker-4 v1.13.9']);
});

describe('a single control plane', () => {
  test('goes only with consent, and has its snapshot then', async () => {
    await using rig = await simulate({ controlPlanes: 1, workers: 0, talos: 'v1.14.0' });
    const refused = await rig.tk('talos:upgrade-node', { node: 'cp-1', to: 'v1.14.1' });
    expect(refused.exitCode).toBe(3);
    expect(refused.text).toMatchInlineSnapshot(`
      "error[gate/etcd-downtime]: etcd has 1 member: while \`cp-1\` is away, Kubernetes stands still
      step: talos:upgrade-node node=cp-1 to=v1.14.1 › gates
      help: say that it may with --accept-downtime; a snapshot is taken first"
    `);
    expect(await versionsOf(rig)).toEqual(['cp-1 v1.14.0']);

    const run = await rig.tk('talos:upgrade-node', { node: 'cp-1', to: 'v1.14.1', acceptDowntime: true });
    expect({ exitCode: run.exitCode, text: run.text }).toEqual({ exitCode: 0, text: '' });
    expect(told(stepsOf(run))).toEqual([
      'cp-1 facts',
      'lease: kube-system/talos-tk',
      expect.stringMatching('cp-1 pull: installer:v1.14.1'),
      'etcd snapshot: talos/backups/etcd-TIME.db, revision 2, taken before',
      'cp-1 look',
      'cp-1 gates: 6 passed',
      'cp-1 install: installation of Talos completed',
      'cp-1 reboot: 6 passed',
      'cp-1 return: Talos v1.14.1',
      'cp-1 uncordon: – no cordon of ours',
      'give the lease back',
    ]);
    const kept = await rig.files.list(`${rig.root}/talos/backups`);
    const modes = await Promise.all(
      kept.map(async ({ name }) => (await rig.files.stat(`${rig.root}/talos/backups/${name}`))?.mode.toString(8)),
    );
    expect(kept.map(({ name }, index) => [name.replace(/\d{8}T\d{6}Z/, 'TIME'), modes[index]])).toEqual([
      ['.gitignore', '644'],
      ['etcd-TIME.db', '600'],
    ]);
  });
});

describe('gates', () => {
  test('each refuses in its own words and nothing is touched; overridden, the reason is kept', async () => {
    await using rig = await simulate({
      controlPlanes: 3,
      workers: 2,
      talos: 'v1.14.0',
      settings: { gates: [gates.ceph({ allow: ['POOL_NO_REDUNDANCY'] })] },
    });
    const upgrade = (node: string, more: object = {}) => rig.tk('talos:upgrade-node', { node, to: 'v1.14.1', ...more });

    rig.landscape.ceph('HEALTH_WARN', { POOL_NO_REDUNDANCY: '1 pool(s) have no replicas configured', OSD_DOWN: '1 osds down' });
    rig.landscape.tuppr('TalosUpgrade', 'Draining');
    rig.landscape.cordon('worker-2', true);
    const refused = await upgrade('worker-1');
    expect(refused.exitCode).toBe(3);
    expect(refused.text).toMatchInlineSnapshot(`
      "error[gate/other-driver]: \`worker-1\` is left alone while tuppr is at work
      because: TalosUpgrade talos is Draining
      step: talos:upgrade-node node=worker-1 to=v1.14.1 › gates
      help: let it end, or suspend it; when you know better: --override other-driver="why"

      error[gate/foreign-cordon]: \`worker-1\` is left alone while somebody keeps \`worker-2\` cordoned
      because: a cordon that tk did not set means that somebody works on that machine
      step: talos:upgrade-node node=worker-1 to=v1.14.1 › gates
      help: kubectl uncordon worker-2; when you know better: --override other-driver="why"

      error[gate/not-well]: the gate ceph does not let \`worker-1\` go
      because: rook-ceph/rook-ceph is HEALTH_WARN: OSD_DOWN: 1 osds down
      step: talos:upgrade-node node=worker-1 to=v1.14.1 › gates
      help: when you know better: --override ceph="why""
    `);
    expect(await versionsOf(rig)).toEqual([
      'cp-1 v1.14.0',
      'cp-2 v1.14.0',
      'cp-3 v1.14.0',
      'worker-1 v1.14.0',
      'worker-2 v1.14.0 cordoned foreign',
    ]);

    const run = await upgrade('worker-1', { override: ['ceph=the disk is being replaced', 'other-driver=tuppr hangs, the pod is gone'] });
    expect({ exitCode: run.exitCode, text: run.text }).toEqual({ exitCode: 0, text: '' });
    const [newest] = (await rig.files.list(`${rig.root}/.tk/sim/runs`)).toReversed();
    const journal = (await rig.files.readText(`${rig.root}/.tk/sim/runs/${newest?.name}/journal.jsonl`)) ?? '';
    const decisions = journal
      .split('\n')
      .filter((line) => line.includes('"decision"'))
      .map((line) => (JSON.parse(line.slice(9)) as { record: object }).record);
    // Three looks at the gates, told and kept once as long as they say the same.
    const warned = run.events.flatMap((event) => (event.event === 'warning' ? [event.failure.code] : []));
    expect(warned.filter((code) => code.startsWith('gate/')).sort()).toEqual(['gate/foreign-cordon', 'gate/not-well', 'gate/other-driver']);
    expect(decisions).toEqual([
      expect.objectContaining({
        subject: 'gate other-driver: gate/other-driver, gate/foreign-cordon',
        reason: 'tuppr hangs, the pod is gone',
        node: 'worker-1',
      }),
      expect.objectContaining({ subject: 'gate ceph: gate/not-well', reason: 'the disk is being replaced', node: 'worker-1' }),
    ]);

    rig.landscape.ceph('HEALTH_WARN', { POOL_NO_REDUNDANCY: '1 pool(s) have no replicas configured' });
    rig.landscape.tuppr('TalosUpgrade', 'Completed');
    rig.landscape.cordon('worker-2', false);
    rig.hand.stopEtcd('cp-3');
    const without = await upgrade('cp-2');
    expect(without.exitCode).toBe(3);
    expect(without.text).toMatchInlineSnapshot(`
      "error[gate/etcd-quorum]: taking \`cp-2\` away would leave 1 of 3 etcd members, 2 are needed
      because: \`cp-3\`: no answer (failed to create etcd client: error getting etcd endpoints: dial tcp 127.0.0.1:2379: connect: connection refused)
      step: talos:upgrade-node node=cp-2 to=v1.14.1 › gates
      help: npx tk doctor NODE=cp-3"
    `);
    expect(await versionsOf(rig)).toEqual(['cp-1 v1.14.0', 'cp-2 v1.14.0', 'cp-3 v1.14.0', 'worker-1 v1.14.1', 'worker-2 v1.14.0']);
  });

  test('somebody else holds the lease', async () => {
    await using rig = await simulate({ controlPlanes: 1, workers: 1, talos: 'v1.14.0' });
    const other = await rig.cluster.lifecycle.lease('theirs', new AbortController().signal);
    // Another checkout: another operator.
    await rig.files.write(`${rig.root}/.tk/sim/cache/operator`, 'tk-simulated-0123456789ab\n');
    const refused = await rig.tk('talos:upgrade-node', { node: 'worker-1', to: 'v1.14.1' });
    expect(refused.exitCode).toBe(3);
    expect(refused.failures.map(({ code }) => code)).toEqual(['gate/lease']);
    await other.release(new AbortController().signal);
    const run = await rig.tk('talos:upgrade-node', { node: 'worker-1', to: 'v1.14.1' });
    expect({ exitCode: run.exitCode, text: run.text }).toEqual({ exitCode: 0, text: '' });
  });
});

test('a gate of tasks.config.ts sees the cluster, holds the machine back, and is passed with a reason that the journal keeps', async () => {
  const asked: string[] = [];
  const nas = defineGate({
    name: 'nas',
    async check({ node, kind, kube, signal }) {
      asked.push(`${kind} ${node.name}`);
      const backup = await kube.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'backup' }, signal);
      return backup === undefined
        ? gates.passed('no backup is running')
        : gates.refusedBecause('the backup to the NAS is running', 'wait for it');
    },
  });
  await using rig = await simulate({ controlPlanes: 1, workers: 1, talos: 'v1.14.0', settings: { gates: [nas] } });
  const kube = await rig.cluster.kubernetes.writer();
  const backup = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default', name: 'backup' } };
  await kube.create(backup, new AbortController().signal);
  const upgrade = { node: 'worker-1', to: 'v1.14.1' };
  const refused = await rig.tk('talos:upgrade-node', upgrade);
  expect({ exitCode: refused.exitCode, text: refused.text }).toMatchInlineSnapshot(`
    {
      "exitCode": 3,
      "text": "error[gate/not-well]: the gate nas does not let \`worker-1\` go
    because: the backup to the NAS is running
    step: talos:upgrade-node node=worker-1 to=v1.14.1 › gates
    help: wait for it",
    }
  `);
  expect(await versionsOf(rig)).toEqual(['cp-1 v1.14.0', 'worker-1 v1.14.0']);
  expect((await rig.tk('talos:upgrade-node', { ...upgrade, override: ['nas='] })).failures.map(({ code }) => code)).toEqual([
    'usage/override-reason',
  ]);
  const meant = await rig.tk('talos:upgrade-node', { ...upgrade, override: ['nas=it can start anew'] });
  expect({ exitCode: meant.exitCode, text: meant.text }).toEqual({ exitCode: 0, text: '' });
  const journals = await Promise.all(
    (await rig.files.list(`${rig.root}/.tk/sim/runs`)).map(({ name }) =>
      rig.files.readText(`${rig.root}/.tk/sim/runs/${name}/journal.jsonl`),
    ),
  );
  expect(journals.join('\n')).toContain('it can start anew');
  expect(new Set(asked)).toEqual(new Set(['upgrade worker-1']));
  expect(await versionsOf(rig)).toEqual(['cp-1 v1.14.0', 'worker-1 v1.14.1']);
});

test('--stage: the old version boots once more and installs then; the machine is back only with the new one', async () => {
  await using rig = await simulate({ controlPlanes: 1, workers: 1, talos: 'v1.14.0' });
  const upgrade = { node: 'worker-1', to: 'v1.14.1', stage: true };
  const [task] = (await rig.plan('talos:upgrade-node', upgrade)).tasks;
  expect(task?.steps.map(({ title }) => title)).toEqual(['pull the installer', 'drain · stage · reboot']);
  const before = await rig.cluster.lifecycle.boot(rig.cluster.find({ node: 'worker-1' }), new AbortController().signal);
  const run = await rig.tk('talos:upgrade-node', upgrade);
  expect({ exitCode: run.exitCode, text: run.text }).toEqual({ exitCode: 0, text: '' });
  // The one call that stages; nothing is installed before the reboot.
  expect(stepsOf(run).filter((step) => /install|reboot|return/.test(step))).toEqual([
    expect.stringMatching(/^worker-1 pull: /),
    'worker-1 install and reboot: 6 passed',
    'worker-1 return: Talos v1.14.1',
  ]);
  const after = await rig.cluster.lifecycle.boot(rig.cluster.find({ node: 'worker-1' }), new AbortController().signal);
  expect(after.bootId).not.toBe(before.bootId);
  expect(await versionsOf(rig)).toEqual(['cp-1 v1.14.0', 'worker-1 v1.14.1']);
});
