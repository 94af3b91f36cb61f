import { expect, test } from 'vitest';
import {
  createKubeModel,
  encodingsOf,
  type InvariantId,
  type JournalOf,
  type SimulatedKube,
  watchInvariants,
} from '../../../lib/sim/index.ts';
import type { World } from '../../../lib/base/index.ts';
import { memoryCluster, signal } from './cluster-rig.ts';

/** A cluster whose ground truth the tests bend by hand. */
async function watched(options: Parameters<typeof memoryCluster>[1] = {}, journalOf?: JournalOf) {
  let kube: SimulatedKube | undefined;
  const rig = await memoryCluster('1.14', {
    controlPlanes: 3,
    workers: 2,
    hooks: { kube: (kernel, host) => (kube = createKubeModel(kernel, host)) },
    ...options,
  });
  const invariants = watchInvariants(rig.kernel, rig.spec, rig.talos, () => kube ?? rig.kube, journalOf);
  const happens = (kind: string, facts: Parameters<typeof rig.kernel.emit>[0]['facts']) => rig.kernel.emit({ kind, facts });
  const fired = () => invariants.violations().map(({ invariant, what }) => `${invariant} ${what}`);
  return { ...rig, invariants, happens, fired, simulated: () => kube as SimulatedKube };
}

/** Every control plane runs a voter, without the way there. */
function withEtcd({ talos, kernel }: Awaited<ReturnType<typeof watched>>) {
  const controlPlanes = talos.machines.filter(({ spec }) => spec.role === 'controlplane');
  const members = controlPlanes.map(({ name }, index) => ({ id: String(index + 1), node: name, learner: false, started: true }));
  kernel.store.set('etcd/c1', { id: '9', members, leader: '1', term: 2, raftIndex: 12 });
  for (const [index, machine] of controlPlanes.entries()) {
    machine.set('etcd', { cluster: 'c1', memberId: String(index + 1) });
    machine.setService('etcd', { state: 'Running', events: [], healthy: true, healthMessage: '', healthChangedMs: 0 });
  }
  return controlPlanes;
}

test('I-01 a second bootstrap, and one of a second machine', async () => {
  const { happens, fired } = await watched();
  happens('talos/bootstrap-requested', { node: 'cp-1' });
  happens('talos/bootstrap-accepted', { node: 'cp-1' });
  expect(fired()).toEqual([]);
  happens('talos/bootstrap-requested', { node: 'cp-2' });
  happens('talos/bootstrap-accepted', { node: 'cp-2' });
  happens('talos/bootstrap-accepted', { node: 'cp-3', isRecovery: true, hadQuorum: true });
  expect(fired()).toEqual([
    'I-01 bootstrap asked of cp-1 and cp-2',
    'I-01 bootstrap accepted 2 times, at last by cp-2',
    'I-01 cp-3 was recovered from a snapshot while etcd had its quorum',
  ]);
});

test('I-02 a member is taken from a quorum that had none to spare, unless nobody could know', async () => {
  const rig = await watched();
  const [, second] = withEtcd(rig);
  rig.happens('talos/stage', { node: 'cp-1', stage: 'running' });
  second?.setService('etcd', { state: 'Finished', events: [], healthMessage: '', healthChangedMs: 0 });
  await rig.kernel.clock.sleep(4000);
  rig.happens('talos/quorum-taken', { node: 'cp-1', path: 'Reboot' });
  expect(rig.fired()).toEqual([]);
  await rig.kernel.clock.sleep(2000);
  rig.happens('talos/quorum-taken', { node: 'cp-1', path: 'Reboot' });
  expect(rig.fired()).toEqual(['I-02 Reboot took cp-1 from an etcd that could not spare it']);
  rig.invariants.terms({ agreesToDowntime: true });
  rig.happens('talos/quorum-taken', { node: 'cp-3', path: 'Reboot' });
  expect(rig.fired()).toHaveLength(1);
});

test('I-03 two control planes away, and one worker more than agreed', async () => {
  const { happens, fired, invariants } = await watched();
  happens('talos/disruption', { node: 'cp-1', path: 'Reboot' });
  happens('talos/disruption', { node: 'worker-1', path: 'Reboot' });
  expect(fired()).toEqual([]);
  happens('talos/disruption', { node: 'cp-2', path: 'Reboot' });
  happens('talos/disruption', { node: 'worker-2', path: 'Reboot' });
  expect(fired()).toEqual(['I-03 cp-2 was taken away while cp-1 was not back', 'I-03 worker-2 was taken away while worker-1 was not back']);
  invariants.terms({ takesAll: true });
  happens('talos/disruption', { node: 'cp-3', path: 'Shutdown' });
  expect(fired()).toHaveLength(2);
});

test('I-04 another machine than the one that was meant', async () => {
  const { happens, fired, invariants } = await watched();
  happens('talos/config-applied', { node: 'cp-1', role: 'worker', hostname: 'worker-9' });
  invariants.terms({ touches: ['worker-1'] });
  happens('talos/disruption', { node: 'worker-2', path: 'Reset' });
  expect(fired()).toEqual([
    'I-04 cp-1 got the configuration of a worker',
    'I-04 cp-1 got the configuration of worker-9',
    'I-04 Reset reached worker-2, which was not meant',
  ]);
});

test('I-05 a key of the cluster in what was printed, in any encoding', async () => {
  const rig = await watched({ controlPlanes: 1, workers: 0 });
  await rig.applyAll();
  rig.invariants.inspect('standard output', 'nothing to see here');
  expect(rig.fired()).toEqual([]);
  const token = /^ {2,}token: (\S+)$/m.exec(rig.texts.get('cp-1') ?? '')?.[1] ?? '';
  const encodings = [...encodingsOf(token).entries()];
  expect(encodings.length).toBeGreaterThanOrEqual(12);
  for (const [encoding, text] of encodings) rig.invariants.inspect(encoding, `something ${text} something`);
  const told = new Set(rig.fired().map((line) => line.replace(/ holds .*/, '')));
  for (const [encoding] of encodings) expect(told, encoding).toContain(`I-05 ${encoding}`);
});

test('I-05, I-06 a secret in a file that is not made for it, and in one that others may read', async () => {
  const rig = await watched({ controlPlanes: 1, workers: 0 });
  await rig.applyAll();
  const token = /^ {2,}token: (\S+)$/m.exec(rig.texts.get('cp-1') ?? '')?.[1] ?? '';
  const run = rig.invariants.begin({ name: 'test', secretsMayLieIn: ['/secrets/'] });
  const { files } = run.observe(rig.world);
  await files.write('/home/secrets/a.yaml', `token: ${token}`, { mode: 0o600 });
  expect(rig.fired()).toEqual([]);
  await files.write('/home/secrets/b.yaml', `token: ${token}`, { mode: 0o644 });
  await (await files.append('/home/journal.jsonl')).write(`token ${token}\n`);
  expect(rig.fired().map((line) => line.replace(/ holds .*/, ''))).toEqual([
    'I-06 /home/secrets/b.yaml holds secrets and has mode 644'.replace(/ holds .*/, ''),
    'I-05 /home/journal.jsonl',
  ]);
});

test('I-07 a file that is half of what was written', async () => {
  const { invariants, world, fired } = await watched();
  const { files } = invariants.begin({ name: 'test' }).observe(world);
  await files.write('/repo/a.yaml', 'first');
  await files.write('/repo/a.yaml', 'second');
  invariants.afterCrash({ '/repo/a.yaml': { content: Buffer.from('second') } });
  expect(fired()).toEqual([]);
  invariants.afterCrash({ '/repo/a.yaml': { content: Buffer.from('sec') } });
  expect(fired()).toEqual(['I-07 /repo/a.yaml is neither what it was nor what it was to be']);
});

test('I-08 machines of one cluster with two authorities', async () => {
  const { happens, fired } = await watched();
  const facts = { node: 'cp-1', role: 'controlplane', hostname: 'cp-1', clusterId: 'x' };
  happens('talos/config-applied', { ...facts, authority: 'sha256:a' });
  happens('talos/config-applied', { ...facts, authority: 'sha256:b' });
  expect(fired()).toEqual(['I-08 cp-1 got the PKI of another cluster']);
});

test('I-09 a dry run that writes, and one that sends', async () => {
  const rig = await watched({ controlPlanes: 1, workers: 0 });
  const run = rig.invariants.begin({ name: 'plan', isDry: true });
  const seen = run.observe(rig.world);
  await seen.files.write('/repo/.tk/cache/x', 'own');
  expect(rig.fired()).toEqual([]);
  await seen.files.write('/repo/kubeconfig', 'x');
  const connection = await seen.dial.talos({ host: '192.168.42.11', port: 50_000, trust: { kind: 'insecure' } }, signal);
  const call = { path: '/machine.MachineService/Reboot', metadata: {}, requests: nothing(), signal };
  connection.call(call);
  expect(rig.fired()).toEqual([
    'I-09 a dry run of plan wrote /repo/kubeconfig',
    'I-09 a dry run of plan sent /machine.MachineService/Reboot',
  ]);
});

async function* nothing(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array();
}

test('I-10 a run that takes longer than all its deadlines', async () => {
  const { invariants, kernel, fired } = await watched();
  const run = invariants.begin({ name: 'bootstrap', budgetMs: 60_000 });
  await kernel.clock.sleep(61_000);
  run.ended({ exit: 1 });
  expect(fired()).toEqual(['I-10 bootstrap took 61 s of 60 s']);
});

test('I-11 an interrupted history that came to something else, or did twice what is done once', async () => {
  const { invariants, happens, talos, fired } = await watched();
  const before = invariants.endState();
  invariants.cameTo(before);
  expect(fired()).toEqual([]);
  happens('talos/bootstrap-accepted', { node: 'cp-1' });
  talos.machines[0]?.set('installed', { version: 'v1.14.2', image: '', schematicId: '', disk: '' });
  invariants.cameTo(before);
  expect(fired()).toEqual([
    'I-11 machine cp-1: maintenance, unconfigured, v1.14.2 ,  instead of maintenance, unconfigured, no system, ',
    'I-11 act talos/bootstrap-accepted cp-1: 1 instead of nothing',
  ]);
});

test('I-11 a member is removed once, and once more when somebody restarted its machine in the middle of its wipe', async () => {
  const acts = async (...events: readonly (readonly [kind: string, facts?: Readonly<Record<string, string>>])[]) => {
    const { invariants, happens } = await watched();
    for (const [kind, facts] of events) happens(kind, { node: 'cp-1', ...facts });
    return invariants.endState().acts;
  };
  const removed = ['etcd/member-removed', { cluster: 'c1', votersLeft: '2' }] as const;
  const running = ['talos/stage', { stage: 'running' }] as const;
  expect(await acts(removed)).toEqual({ 'etcd/member-removed cp-1': 1 });
  expect(await acts(removed, running, removed)).toEqual({ 'etcd/member-removed cp-1': 1 });
  expect(await acts(removed, removed)).toEqual({ 'etcd/member-removed cp-1': 2 });
  expect(await acts(removed, running, removed, removed)).toEqual({ 'etcd/member-removed cp-1': 2 });
});

test('I-12 something disruptive after a signal, and another exit code', async () => {
  const rig = await watched({ controlPlanes: 1, workers: 0 });
  const run = rig.invariants.begin({ name: 'upgrade' });
  const seen = run.observe(rig.world);
  const connection = await seen.dial.talos({ host: '192.168.42.11', port: 50_000, trust: { kind: 'insecure' } }, signal);
  run.signalled('SIGINT');
  await rig.kernel.clock.sleep(16_000);
  connection.call({ path: '/machine.MachineService/Reboot', metadata: {}, requests: nothing(), signal });
  run.ended({ exit: 1 });
  expect(rig.fired()).toEqual(['I-12 upgrade sent /machine.MachineService/Reboot after SIGINT', 'I-12 upgrade ended with 1 after SIGINT']);
});

test('I-12 a signal that was not heard, and a run that goes on nevertheless', async () => {
  const rig = await watched({ controlPlanes: 1, workers: 0 });
  const over = rig.invariants.begin({ name: 'over', stops: true });
  over.signalled('SIGINT', true);
  over.ended({ exit: 3 });
  expect(rig.fired()).toEqual([]);
  const deaf = rig.invariants.begin({ name: 'deaf', stops: true });
  const seen = deaf.observe(rig.world);
  const connection = await seen.dial.talos({ host: '192.168.42.11', port: 50_000, trust: { kind: 'insecure' } }, signal);
  deaf.signalled('SIGINT', true);
  await rig.kernel.clock.sleep(2100);
  connection.call({ path: '/machine.MachineService/Reboot', metadata: {}, requests: nothing(), signal });
  deaf.ended({ exit: 0 });
  expect(rig.fired()).toEqual([
    'I-12 deaf took no notice of a signal and sent /machine.MachineService/Reboot',
    'I-12 deaf took no notice of a signal and went on for 2100 ms',
  ]);
});

test('I-13 a cordon of ours that stays, and one of a person that goes', async () => {
  const rig = await watched({ controlPlanes: 1, workers: 1 });
  const kube = rig.simulated();
  const node = (name: string, metadata: object, unschedulable: boolean) =>
    kube.landscape.put({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, ...metadata } as never,
      spec: unschedulable ? { unschedulable } : {},
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    });
  for (const machine of rig.talos.machines) machine.set('stage', 'running');
  node('cp-1', { annotations: { 'talos-tk/cordoned-by': 'run-1' } }, true);
  rig.happens('talos/stage', { node: 'cp-1', stage: 'running' });
  // A run whose last look was before could not know.
  rig.invariants.begin({ name: 'upgrade' }).ended({ exit: 1 });
  expect(rig.fired()).toEqual([]);
  await rig.kernel.clock.sleep(31_000);
  rig.invariants.begin({ name: 'upgrade' }).ended({ exit: 1 });
  node('worker-1', {}, false);
  kube.landscape.cordon('worker-1', true);
  node('worker-1', {}, false);
  expect(rig.fired()).toEqual([
    'I-13 cp-1 is back and still cordoned by run-1',
    'I-13 the cordon that somebody set on worker-1 was taken away',
  ]);
});

test('I-12 a run that lingers after a signal, leaves half a journal, or names no next command', async () => {
  const rig = await watched({ controlPlanes: 1, workers: 0 });
  const target = { host: '192.168.42.11', port: 50_000, trust: { kind: 'insecure' } } as const;
  const stopped = (name: string) => {
    const run = rig.invariants.begin({ name, stops: true });
    run.signalled('SIGINT');
    return run;
  };
  const good = { exit: 130, journal: { isWhole: true, exit: 130 }, said: 'Continue   npx tk resume' } as const;

  const prompt = stopped('prompt');
  await rig.kernel.clock.sleep(1900);
  prompt.ended(good);
  // What is on the wire may come to its end, however long that takes.
  const waits = rig.invariants.begin({ name: 'waits', stops: true });
  const seen = waits.observe(slowly(rig.world, 30_000));
  const dialled = seen.dial.talos(target, signal);
  waits.signalled('SIGINT');
  await dialled;
  await rig.kernel.clock.sleep(1900);
  waits.ended(good);
  expect(rig.fired()).toEqual([]);

  const idle = stopped('idle');
  await rig.kernel.clock.sleep(2100);
  idle.ended(good);
  const impatient = rig.invariants.begin({ name: 'impatient', stops: true });
  const answered = impatient.observe(slowly(rig.world, 3000)).dial.talos(target, signal);
  impatient.signalled('SIGINT');
  impatient.signalled('SIGINT');
  await answered;
  impatient.ended(good);
  stopped('torn').ended({ ...good, journal: { isWhole: false } });
  stopped('open').ended({ ...good, journal: { isWhole: true } });
  stopped('mute').ended({ ...good, said: 'Stopped.' });
  expect(rig.fired()).toEqual([
    'I-12 idle went on for 2100 ms after SIGINT with nothing under way',
    'I-12 impatient went on for 3000 ms after the second SIGINT',
    'I-12 the journal of torn is not whole after SIGINT',
    'I-12 the journal of open ends with nothing instead of 130',
    'I-12 mute named no next command after SIGINT',
  ]);
});

test('I-12 a pause before the next try goes on while the lease is renewed, and not while something else is asked', async () => {
  const rig = await watched({ controlPlanes: 1, workers: 0 });
  const askedBetween = async (name: string, path: string): Promise<void> => {
    const watch = rig.invariants.begin({ name, stops: true });
    const status = (asked: string) => (asked === '/api/v1/nodes' ? 503 : 200);
    const { dial } = watch.observe({
      ...rig.world,
      dial: { ...rig.world.dial, http: async ({ path: asked }) => ({ status: status(asked), headers: {}, body: '' }) as never },
    });
    const ask = (asked: string) => dial.http({ method: 'GET', path: asked } as never);
    watch.signalled('SIGINT');
    await ask('/api/v1/nodes');
    await rig.kernel.clock.sleep(6000);
    await ask(path);
    await rig.kernel.clock.sleep(2500);
    await ask('/api/v1/nodes');
    watch.ended({ exit: 130, signal: 'SIGINT', journal: { isWhole: true, exit: 130 }, said: 'npx tk resume' });
  };
  await askedBetween('renews', '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/talos-tk');
  expect(rig.fired()).toEqual([]);
  await askedBetween('dawdles', '/version');
  expect(rig.fired()).toEqual(['I-12 dawdles went on for 2500 ms after SIGINT with nothing under way']);
});

/** The same World, in which every machine takes its time before it answers. */
const slowly = (world: World, ms: number): World => ({
  ...world,
  dial: {
    ...world.dial,
    talos: async (target, abort) => {
      await world.clock.sleep(ms, abort);
      return world.dial.talos(target, abort);
    },
  },
});

test('I-13 a cordon that no journal tells of, and one of a run that has ended well', async () => {
  const journals = new Map<string, 'under-way' | 'over'>([['run-1', 'under-way']]);
  const rig = await watched({ controlPlanes: 1, workers: 2 }, (run) => journals.get(run));
  const kube = rig.simulated();
  const cordon = (name: string, by: string) =>
    kube.landscape.put({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, annotations: { 'talos-tk/cordoned-by': by } } as never,
      spec: { unschedulable: true },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    });
  for (const machine of rig.talos.machines) machine.set('stage', 'running');
  cordon('worker-1', 'run-1');
  rig.invariants.begin({ name: 'killed' }).ended({ exit: 'dead', runId: 'run-1' });
  expect(rig.fired()).toEqual([]);
  cordon('worker-2', 'run-0');
  journals.set('run-1', 'over');
  rig.invariants.begin({ name: 'drain', keepsCordon: true }).ended({ exit: 0, runId: 'run-2' });
  expect(rig.fired()).toEqual([
    'I-13 worker-2 was cordoned by run-0, which no journal tells to be under way',
    'I-13 worker-1 is still cordoned by run-1, which has ended well',
    'I-13 worker-2 is cordoned by run-0, of which no journal tells',
    'I-13 worker-2 is back and still cordoned by run-0',
  ]);
});

test('I-14 two runs side by side, and one that goes on after its end', async () => {
  const rig = await watched({ controlPlanes: 1, workers: 0 });
  const [one, two] = [rig.invariants.begin({ name: 'one' }), rig.invariants.begin({ name: 'two' })];
  const send = async (run: typeof one) => {
    const target = { host: '192.168.42.11', port: 50_000, trust: { kind: 'insecure' as const } };
    const connection = await run.observe(rig.world).dial.talos(target, signal);
    connection.call({ path: '/machine.MachineService/ApplyConfiguration', metadata: {}, requests: nothing(), signal });
  };
  await send(one);
  one.ended({ exit: 0 });
  await send(two);
  expect(rig.fired()).toEqual([]);
  await send(one);
  expect(rig.fired()).toEqual([
    'I-14 one sent /machine.MachineService/ApplyConfiguration while two was at work',
    'I-14 one sent /machine.MachineService/ApplyConfiguration after its end',
  ]);
});

test("I-14 a machine that is taken away under somebody's lease, unless the lease is gone with its etcd", async () => {
  const rig = await watched();
  const [, second, third] = withEtcd(rig);
  rig.simulated().landscape.takeLease('somebody-else/1');
  for (const machine of [second, third])
    machine?.setService('etcd', { state: 'Finished', events: [], healthMessage: '', healthChangedMs: 0 });
  rig.happens('talos/disruption', { node: 'cp-1', path: '/machine.MachineService/Reset' });
  expect(rig.fired()).toEqual([]);
  second?.setService('etcd', { state: 'Running', events: [], healthy: true, healthMessage: '', healthChangedMs: 0 });
  rig.happens('talos/disruption', { node: 'cp-1', path: '/machine.MachineService/Reset' });
  expect(rig.fired()).toEqual(["I-14 cp-1 was taken away while somebody-else/1 held the cluster's lease"]);
});

test('I-15 a minor that is left out, and a Kubernetes that the new Talos does not run', async () => {
  const rig = await watched({ controlPlanes: 1, workers: 0 });
  const image = 'factory.talos.dev/metal-installer/376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba:v1.14.1';
  rig.happens('talos/slot-written', { node: 'cp-1', from: 'v1.12.6', to: 'v1.14.1', image });
  rig.happens('talos/static-pod', { node: 'cp-1', pod: 'kube-apiserver', image: 'registry.k8s.io/kube-apiserver:v1.35.4' });
  rig.happens('talos/static-pod', { node: 'cp-1', pod: 'kube-apiserver', image: 'registry.k8s.io/kube-apiserver:v1.37.0' });
  rig.talos.machines[0]?.set('config/active', rig.texts.get('cp-1') ?? '');
  rig.happens('talos/slot-written', { node: 'cp-1', from: 'v1.13.9', to: 'v1.12.6', image });
  expect(rig.fired()).toEqual([
    'I-15 cp-1 was taken from v1.12.6 to v1.14.1',
    'I-15 cp-1 kube-apiserver went from registry.k8s.io/kube-apiserver:v1.35.4 to registry.k8s.io/kube-apiserver:v1.37.0',
    'I-15 cp-1 got v1.12.6, which does not run Kubernetes v1.37.0',
  ]);
});

test('I-16 an image without the extensions, for secure boot, for a cloud, without a version', async () => {
  const rig = await watched({ controlPlanes: 1, workers: 0 });
  Object.assign(rig.spec.machines[0] as object, { schematicId: 'a'.repeat(64) });
  const written = (image: string) => rig.happens('talos/slot-written', { node: 'cp-1', from: 'v1.14.0', to: 'v1.14.1', image });
  written(`factory.talos.dev/metal-installer/${'a'.repeat(64)}:v1.14.1`);
  expect(rig.fired()).toEqual([]);
  written('ghcr.io/siderolabs/installer:v1.14.1');
  written(`factory.talos.dev/metal-installer-secureboot/${'a'.repeat(64)}:v1.14.1`);
  written(`factory.talos.dev/nocloud-installer/${'a'.repeat(64)}:latest`);
  expect(rig.fired()).toEqual([
    'I-16 cp-1 has schematic aaaaaaaa… and got none…',
    `I-16 cp-1 has no secure boot and got factory.talos.dev/metal-installer-secureboot/${'a'.repeat(64)}:v1.14.1`,
    `I-16 cp-1 is metal and got factory.talos.dev/nocloud-installer/${'a'.repeat(64)}:latest`,
    `I-16 cp-1 got an image of no version: factory.talos.dev/nocloud-installer/${'a'.repeat(64)}:latest`,
  ]);
});

test('I-17 exit 0 before it is true; I-18 exit 0 with something unfinished, and a busy loop', async () => {
  const { invariants, happens, fired } = await watched({ controlPlanes: 1, workers: 0 });
  invariants.claimedDone(invariants.missing().slice(0, 1));
  invariants.begin({ name: 'bootstrap' }).ended({ exit: 0, unfinished: 2 });
  for (let turn = 0; turn < 1001; turn += 1) happens('test/turn', {});
  expect(fired()).toEqual([
    'I-17 exit 0, but 0 etcd clusters',
    'I-18 bootstrap ended with 0 and 2 unfinished',
    'I-18 1000 events at one instant, at last test/turn',
  ]);
});

test('I-19 two histories of one seed; I-20 a command that never ends well', async () => {
  const { invariants, happens, fired } = await watched({ controlPlanes: 1, workers: 0 });
  const before = invariants.fingerprint();
  invariants.repeated(before);
  happens('test/other', { node: 'cp-1' });
  invariants.repeated(before);
  invariants.gaveUp('talos:upgrade', ['node/not-returned']);
  expect(fired().map((line) => line.slice(0, 20))).toEqual(['I-19 the same seed g', 'I-20 no attempt of t']);
});

test('every invariant of the catalogue fires in a test of this file', async () => {
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(new URL(import.meta.url), 'utf8');
  const all = Array.from({ length: 20 }, (_, index): InvariantId => `I-${String(index + 1).padStart(2, '0')}` as InvariantId);
  expect(all.filter((id) => !new RegExp(`['\`]${id} `).test(text))).toEqual([]);
});
