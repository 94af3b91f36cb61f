import { describe, expect, test } from 'vitest';
import { simulate, type SimulatedRepository } from 'talos-tk/testing';
import { reportOf, stepsOf } from '../../rig/steps.ts';

const calm = () => new AbortController().signal;

async function standing(rig: SimulatedRepository, name: string) {
  const [one] = await rig.cluster.lifecycle.survey([rig.cluster.find({ node: name })], calm());
  if (one === undefined || one.state === 'silent') return `${name} silent`;
  return `${name} ${one.facts.talosVersion}, cordon ${one.facts.kube?.cordon.state}`;
}

/** When every bootstrap has ended, in simulated time. */
const afterBootstrapMs = 1_200_000;
const toNext = { node: 'worker-1', to: 'v1.14.1' };
const cluster = { controlPlanes: 1, workers: 2, talos: 'v1.14.0' } as const;

test('a cordon of a person is there before and after', async () => {
  await using rig = await simulate(cluster);
  rig.landscape.cordon('worker-1', true);
  const run = await rig.tk('talos:upgrade-node', toNext);
  expect({ exitCode: run.exitCode, text: run.text }).toEqual({ exitCode: 0, text: '' });
  expect(stepsOf(run).filter((step) => step.includes('cordon'))).toEqual([
    'worker-1 cordon: – somebody has cordoned it already, and it stays so afterwards',
    'worker-1 uncordon: – no cordon of ours',
  ]);
  expect(await standing(rig, 'worker-1')).toBe('worker-1 v1.14.1, cordon foreign');
});

describe('a budget that allows nothing', () => {
  const budgeted = async (rig: SimulatedRepository) => {
    const kube = await rig.cluster.kubernetes.writer();
    const labels = { app: 'web' };
    const apply = (object: Parameters<typeof kube.apply>[0]) => kube.apply(object, { fieldManager: 'a test' }, calm());
    await apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { nodeSelector: { 'kubernetes.io/hostname': 'worker-1' }, containers: [{ name: 'web', image: 'registry.example/web:1' }] },
        },
      },
    });
    await apply({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'web', namespace: 'default' },
      spec: { minAvailable: 1, selector: { matchLabels: labels } },
    });
    await rig.pass(60_000);
  };

  test('is named with its pod within ten seconds; at the deadline our cordon is taken back and nothing was rebooted', async () => {
    await using rig = await simulate(cluster);
    await budgeted(rig);
    const run = await rig.tk('talos:upgrade-node', { ...toNext, drainTimeout: '2m' });
    expect(run.exitCode).toBe(1);
    expect(run.text.replaceAll(/web-[\w-]+/g, 'web-POD')).toMatchInlineSnapshot(`
      "error[drain/blocked]: 1 pod could not be moved off \`worker-1\` within 2m00s
      because: default/web-POD: the disruption budget default/web does not allow it
      step: talos:upgrade-node node=worker-1 to=v1.14.1 drain-timeout=2m › drain
      help: nothing was rebooted, and a cordon of tk's is taken back; scale the workload up, or --drain delete-after=5m"
    `);
    const began = run.events.find((event) => event.event === 'step-started' && event.title === 'drain');
    const named = run.events.find(
      (event) => event.event === 'log' && /default\/web-\S+ is held back by the budget default\/web/.test(event.text),
    );
    expect((named?.elapsedMs ?? Number.NaN) - (began?.elapsedMs ?? 0)).toBeLessThanOrEqual(10_000);
    expect(stepsOf(run).slice(-2)).toEqual(['uncordon worker-1', 'give the lease back']);
    expect(await standing(rig, 'worker-1')).toBe('worker-1 v1.14.0, cordon none');
  });

  test('and an API server that goes away meanwhile: the cordon that stays behind is told, and the same line takes it up', async () => {
    await using rig = await simulate(cluster);
    await budgeted(rig);
    const running = rig.tk('talos:upgrade-node', { ...toNext, drain: 'delete-after=3m', drainTimeout: '4m' });
    await rig.pass(40_000);
    rig.hand.losePower('cp-1', 20 * 60_000);
    const run = await running;
    expect(run.exitCode).toBe(1);
    expect(run.text).toContain(`error[node/still-cordoned]: \`worker-1\` is still cordoned: tk could not take its cordon back`);
    expect(run.text).toContain('help: npx tk talos:uncordon NODE=worker-1, as soon as Kubernetes answers; the same line again does it too');
    await rig.pass(30 * 60_000);
    expect(await standing(rig, 'worker-1')).toBe('worker-1 v1.14.0, cordon ours');
    const again = await rig.tk('talos:upgrade-node', { ...toNext, drain: 'delete-after=1m' });
    expect({ exitCode: again.exitCode, text: again.text }).toEqual({ exitCode: 0, text: '' });
    expect(await standing(rig, 'worker-1')).toBe('worker-1 v1.14.1, cordon none');
  });

  test('gives way after the time that was asked for', async () => {
    await using rig = await simulate(cluster);
    await budgeted(rig);
    const run = await rig.tk('talos:upgrade-node', { ...toNext, drain: 'delete-after=1m' });
    expect({ exitCode: run.exitCode, text: run.text }).toEqual({ exitCode: 0, text: '' });
    expect(stepsOf(run)).toContainEqual(expect.stringMatching(/^worker-1 drain: \d+ pods? moved, 1 deleted$/));
    expect(await standing(rig, 'worker-1')).toBe('worker-1 v1.14.1, cordon none');
  });

  test.each([
    ['an installer of its own', 'v1.14.0', 'v1.14.1'],
    ['the one call that installs and reboots', 'v1.12.5', 'v1.12.6'],
  ])('%s is not sent to a machine that was restarted since it was looked at', async (_, talos, to) => {
    await using rig = await simulate({ ...cluster, talos });
    await budgeted(rig);
    const before = await rig.cluster.lifecycle.boot(rig.cluster.find({ node: 'worker-1' }), calm());
    const line = { node: 'worker-1', to, drain: 'delete-after=2m' };
    const running = rig.tk('talos:upgrade-node', line);
    await rig.pass(30_000);
    rig.hand.losePower('worker-1', 5000);
    const run = await running;
    expect(run.exitCode).toBe(1);
    expect(run.text.split('\n')[0]).toBe(
      `error[node/restarted]: \`worker-1\` was restarted while it was being prepared; it runs Talos ${talos}`,
    );
    expect(await standing(rig, 'worker-1')).toBe(`worker-1 ${talos}, cordon none`);
    const after = await rig.cluster.lifecycle.boot(rig.cluster.find({ node: 'worker-1' }), calm());
    expect(after.bootId).not.toBe(before.bootId);
    const again = await rig.tk('talos:upgrade-node', line);
    expect({ exitCode: again.exitCode, text: again.text }).toEqual({ exitCode: 0, text: '' });
    expect(await standing(rig, 'worker-1')).toBe(`worker-1 ${to}, cordon none`);
  });
});

test('a new version that does not start is a rollback, not a success; the machine is schedulable, and the next try may do', async () => {
  await using rig = await simulate({ ...cluster, faults: [{ point: 'talos/new-slot', kind: 'failed', probability: 1, atMost: 1 }] });
  const run = await rig.tk('talos:upgrade', { to: 'v1.14.1', role: 'worker' });
  expect(run.exitCode).toBe(1);
  expect(run.text).toMatchInlineSnapshot(`
    "error[node/rolled-back]: \`worker-1\` rolled back: it runs v1.14.0 (schematic 37656798) again
    because: v1.14.1 (schematic 37656798) did not come up, so the machine went back to the boot entry before
    step: talos:upgrade to=v1.14.1 role=worker › worker-1
    help: npx tk talos:dmesg NODE=worker-1; no other machine was touched after it"
  `);
  expect(reportOf(run)).toEqual({
    Pending: 'worker-1 rolled back to v1.14.0',
    'Not begun': 'worker-2',
    Continue: 'npx tk resume',
  });
  expect(await standing(rig, 'worker-1')).toBe('worker-1 v1.14.0, cordon none');
  const plan = await rig.plan('talos:upgrade', { to: 'v1.14.1', role: 'worker' });
  expect(plan.tasks.flatMap(({ steps }) => steps).find(({ node }) => node === 'worker-1')?.reason).toBe(
    'v1.14.0 → v1.14.1, rolled back last time, canary',
  );
  const again = await rig.tk('talos:upgrade', { to: 'v1.14.1', role: 'worker' });
  expect({ exitCode: again.exitCode, text: again.text }).toEqual({ exitCode: 0, text: '' });
});

test('a machine that does not return ends the roll; it stays cordoned, and the same line goes on waiting', async () => {
  await using rig = await simulate(cluster);
  const running = rig.tk('talos:upgrade', { to: 'v1.14.1', role: 'worker' });
  await rig.pass(40_000);
  rig.hand.losePower('worker-1', 45 * 60_000);
  const run = await running;
  expect(run.exitCode).toBe(1);
  expect(run.text).toMatchInlineSnapshot(`
    "error[node/not-returned]: \`worker-1\` (192.168.42.20) has not come back within 30m00s
    because: no answer before the deadline
    step: talos:upgrade to=v1.14.1 role=worker › worker-1 › return
    help: look at its console; the same line again goes on waiting. It stays cordoned until then"
  `);
  expect(reportOf(run)).toEqual({ Pending: 'worker-1 does not answer', 'Not begun': 'worker-2', Continue: 'npx tk resume' });
  const plan = await rig.plan('talos:upgrade', { to: 'v1.14.1', role: 'worker' });
  expect(plan.tasks.flatMap(({ steps }) => steps).find(({ node }) => node === 'worker-1')).toMatchObject({
    title: 'wait until it is back',
    reason: 'an earlier run has sent the reboot',
  });
  const again = await rig.tk('talos:upgrade', { to: 'v1.14.1', role: 'worker' });
  expect({ exitCode: again.exitCode, text: again.text }).toEqual({ exitCode: 0, text: '' });
  expect(stepsOf(again).filter((step) => step.startsWith('worker-1'))).toEqual([
    expect.stringMatching(/^worker-1 look/),
    expect.stringMatching(/^worker-1 reboot: – worker-1 has booted since/),
    'worker-1 return: Talos v1.14.1',
    'worker-1 uncordon',
    'worker-1',
  ]);
  expect([await standing(rig, 'worker-1'), await standing(rig, 'worker-2')]).toEqual([
    'worker-1 v1.14.1, cordon none',
    'worker-2 v1.14.1, cordon none',
  ]);
});

test('a machine that was restarted before its turn in a roll is looked at anew, and upgraded', async () => {
  await using rig = await simulate(cluster);
  const running = rig.tk('talos:upgrade', { to: 'v1.14.1', role: 'worker' });
  await rig.pass(20_000);
  rig.hand.losePower('worker-2', 5000);
  const run = await running;
  expect({ exitCode: run.exitCode, text: run.text }).toEqual({ exitCode: 0, text: '' });
  expect([await standing(rig, 'worker-1'), await standing(rig, 'worker-2')]).toEqual([
    'worker-1 v1.14.1, cordon none',
    'worker-2 v1.14.1, cordon none',
  ]);
});

test('a reply that got lost is not answered with a second reboot', async () => {
  const path = '/machine.MachineService/Reboot';
  await using rig = await simulate({ ...cluster, faults: [{ point: 'wire/reply', kind: 'lost', probability: 1, only: { path } }] });
  const before = await rig.cluster.lifecycle.boot(rig.cluster.find({ node: 'worker-1' }), calm());
  const run = await rig.tk('talos:upgrade-node', toNext);
  expect({ exitCode: run.exitCode, text: run.text }).toEqual({ exitCode: 0, text: '' });
  expect(stepsOf(run)).toContainEqual(expect.stringMatching(/^worker-1 reboot: worker-1 (?:is rebooting|has booted since)/));
  const after = await rig.cluster.lifecycle.boot(rig.cluster.find({ node: 'worker-1' }), calm());
  expect(after.bootId).not.toBe(before.bootId);
});

test('an installer that fails is a failure, though the call itself ended well; the cordon is taken back', async () => {
  await using rig = await simulate({
    ...cluster,
    faults: [{ point: 'talos/installer', kind: 'failed', probability: 1, fromMs: afterBootstrapMs, facts: { exitCode: 7 } }],
  });
  await rig.pass(afterBootstrapMs);
  const run = await rig.tk('talos:upgrade-node', toNext);
  expect(run.exitCode).toBe(1);
  expect(run.failures).toMatchObject([{ code: 'talos/installer-failed', facts: { node: 'worker-1', exitCode: 7 } }]);
  expect(await standing(rig, 'worker-1')).toBe('worker-1 v1.14.0, cordon none');
});

test('an image that is not there stops everything before the first cordon', async () => {
  await using rig = await simulate({
    ...cluster,
    faults: [{ point: 'talos/pull', kind: 'missing', probability: 1, fromMs: afterBootstrapMs }],
  });
  await rig.pass(afterBootstrapMs);
  const run = await rig.tk('talos:upgrade', { to: 'v1.14.1', role: 'worker' });
  expect(run.exitCode).toBe(1);
  expect(stepsOf(run).filter((step) => /cordon|install:|reboot/.test(step))).toEqual([]);
});

test('volumes are detached before the reboot, however long that takes', async () => {
  await using rig = await simulate({
    ...cluster,
    faults: [{ point: 'kube/volume-detach', kind: 'slow', probability: 1, facts: { lateMs: 90_000 } }],
  });
  rig.landscape.storage('csi.example', 'block');
  const kube = await rig.cluster.kubernetes.writer();
  const apply = (object: Parameters<typeof kube.apply>[0]) => kube.apply(object, { fieldManager: 'a test' }, calm());
  await apply({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'default' },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'block', resources: { requests: { storage: '1Gi' } } },
  });
  const labels = { app: 'db' };
  await apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'db', namespace: 'default' },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          nodeSelector: { 'kubernetes.io/hostname': 'worker-1' },
          containers: [{ name: 'db', image: 'registry.example/db:1' }],
          volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
        },
      },
    },
  });
  await rig.pass(120_000);
  const attachments = async () => (await kube.list({ apiVersion: 'storage.k8s.io/v1', kind: 'VolumeAttachment' }, {}, calm())).items.length;
  expect(await attachments()).toBe(1);
  const run = await rig.tk('talos:upgrade-node', toNext);
  expect({ exitCode: run.exitCode, text: run.text }).toEqual({ exitCode: 0, text: '' });
  const waited = run.events.flatMap((event) =>
    event.event === 'waiting' && event.waitingFor.startsWith('the volumes') ? [event.seen] : [],
  );
  expect(waited[0]).toMatch(/^1 volume left: /);
  expect(stepsOf(run)).toContain('worker-1 volumes: detached');
});

describe('Ctrl-C', () => {
  test('during the installer lets it end, begins no reboot, uncordons, and says what is pending; then only the reboot is left', async () => {
    await using rig = await simulate(cluster);
    const run = await rig.tk('talos:upgrade', { to: 'v1.14.1', role: 'worker' }, { ctrlCAfterMs: 15_000 });
    expect(run.exitCode).toBe(130);
    const steps = stepsOf(run);
    expect(steps.filter((step) => step.startsWith('worker-1 '))).toContain('worker-1 install: installation of Talos completed');
    expect(steps.some((step) => step.startsWith('worker-1 reboot:'))).toBe(false);
    expect(reportOf(run)).toEqual({
      Pending: 'worker-1 is installed, reboot pending',
      'Not begun': 'worker-2',
      Continue: 'npx tk resume',
    });
    expect(await standing(rig, 'worker-1')).toBe('worker-1 v1.14.0, cordon none');

    const again = await rig.tk('talos:upgrade', { to: 'v1.14.1', role: 'worker' });
    expect({ exitCode: again.exitCode, text: again.text }).toEqual({ exitCode: 0, text: '' });
    const left = stepsOf(again).filter((step) => step.startsWith('worker-1'));
    expect(left.filter((step) => /pull|install/.test(step))).toEqual([expect.stringMatching(/^worker-1 install: – run \w+ installed it$/)]);
    expect(await standing(rig, 'worker-1')).toBe('worker-1 v1.14.1, cordon none');
  });

  test('while the machine reboots leaves it cordoned, and the same line brings it home', async () => {
    await using rig = await simulate(cluster);
    const run = await rig.tk('talos:upgrade-node', toNext, { ctrlCAfterMs: 45_000 });
    expect(run.exitCode).toBe(130);
    await rig.pass(300_000);
    expect(await standing(rig, 'worker-1')).toBe('worker-1 v1.14.1, cordon ours');
    const again = await rig.tk('talos:upgrade-node', toNext);
    expect({ exitCode: again.exitCode, text: again.text }).toEqual({ exitCode: 0, text: '' });
    expect(stepsOf(again).filter((step) => /drain|install|gates/.test(step))).toEqual([]);
    expect(await standing(rig, 'worker-1')).toBe('worker-1 v1.14.1, cordon none');
  });
});

test('an image that does not fit names both sides and stops; a reason lets another schematic in', async () => {
  await using rig = await simulate(cluster);
  const image = 'factory.talos.dev/metal-installer/ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515:v1.14.1';
  const run = await rig.tk('talos:upgrade-node', { node: 'worker-1', image });
  expect(run.exitCode).toBe(3);
  expect(run.text).toMatchInlineSnapshot(`
    "error[gate/image]: \`factory.talos.dev/metal-installer/ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515:v1.14.1\` does not fit \`worker-1\`
    because: schematic: ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515 (--image) but 376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba (the running worker-1); schematic: ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515 (--image) but 376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba (the inventory's schematic)
    step: talos:upgrade-node node=worker-1 image=factory.talos.dev/metal-installer/ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515:v1.14.1 › facts
    help: leave --image out, or correct it, or mean it: --override image="why""
  `);
  const secure = await rig.tk('talos:upgrade-node', {
    node: 'worker-1',
    image: image.replace('installer', 'installer-secureboot'),
    override: ['image=we mean it'],
  });
  expect(secure.exitCode).toBe(3);
  expect(await standing(rig, 'worker-1')).toBe('worker-1 v1.14.0, cordon none');

  const meant = await rig.tk('talos:upgrade-node', {
    node: 'worker-1',
    image,
    to: 'v1.14.1',
    override: ['image=qemu-guest-agent comes back'],
  });
  expect({ exitCode: meant.exitCode, text: meant.text }).toEqual({ exitCode: 0, text: '' });
  const [after] = await rig.cluster.lifecycle.survey([rig.cluster.find({ node: 'worker-1' })], calm());
  expect(after?.state === 'answered' ? [after.facts.talosVersion, after.facts.schematicId] : after).toEqual([
    'v1.14.1',
    'ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515',
  ]);
});

test('one control plane after the other by hand: the next line waits the seconds that etcd needs', async () => {
  await using rig = await simulate({ controlPlanes: 3, workers: 0, talos: 'v1.14.0' });
  const first = await rig.tk('talos:upgrade-node', { node: 'cp-2', to: 'v1.14.1' });
  const second = await rig.tk('talos:reboot', { node: 'cp-3' });
  expect([first, second].map(({ exitCode, text }) => [exitCode, text])).toEqual([
    [0, ''],
    [0, ''],
  ]);
  const waited = second.events.flatMap((event) => (event.event === 'waiting' && event.waitingFor === 'etcd to settle' ? [event.seen] : []));
  expect(waited[0]).toMatch(/^cp-2: it booted \d+ s ago$/);
});

test('a plan refuses what a run would refuse, a canary is a worker, and who is silent can be left out', async () => {
  await using rig = await simulate(cluster);
  const refused = async (task: string, params: Parameters<typeof rig.tk>[1]) =>
    (await rig.plan(task, params)).tasks.flatMap(({ failure, furtherFailures = [] }) => (failure ? [failure, ...furtherFailures] : []));
  expect((await refused('talos:upgrade', { to: 'v1.13.9' })).map(({ code, facts }) => [code, facts['node'], facts['because']])).toEqual(
    ['cp-1', 'worker-1', 'worker-2'].flatMap((node) => ['downgrade', 'kubernetes'].map((because) => ['gate/version-path', node, because])),
  );
  expect((await refused('talos:upgrade', { to: 'v1.14.1', canary: 'cp-1' })).map(({ code, facts }) => [code, facts])).toEqual([
    ['usage/canary', { asked: 'cp-1', isControlPlane: true, known: ['worker-1', 'worker-2'] }],
  ]);
  // The installer of Talos' own registry and the factory's without an extension are one to the machine.
  const vanilla = await rig.tk('talos:upgrade-node', { ...toNext, image: 'ghcr.io/siderolabs/installer:v1.14.1' });
  expect({ exitCode: vanilla.exitCode, text: vanilla.text }).toEqual({ exitCode: 0, text: '' });
  rig.hand.losePower('worker-2', 60 * 60_000);
  const run = await rig.tk('talos:upgrade', { to: 'v1.14.1', role: 'worker' });
  expect([run.exitCode, run.text.split('\n')[0]]).toEqual([1, 'error[talos/unreachable]: `worker-2` (192.168.42.21) cannot be reached']);
  expect(reportOf(run)).toEqual({ 'Without worker-2': 'NODES=worker-1' });
  const without = await rig.tk('talos:upgrade', { to: 'v1.14.1', nodes: ['worker-1'] });
  expect(stepsOf(without)).toEqual(['facts']);
});
