import { expect, test } from 'vitest';
import { createKubeModel, createMemoryWorld, faultClasses, startCluster, swarmFaults, watchInvariants } from '../../../lib/sim/index.ts';
import { createSeededRandom } from '../../../lib/sim/random.ts';
import { adminTrust, configsOf, driverOf, type Minor, signal, specOf } from './cluster-rig.ts';

const calmAfterMs = 15 * 60_000;
const minors: readonly Minor[] = ['1.12', '1.13', '1.14'];

/** A machine boots a few times in so short a history: power is lost more often here, so that a few histories meet it. */
const classes = faultClasses.map((one) => (one.point === 'talos/power' ? { ...one, probability: 0.4 } : one));

/** Everything that goes on in a cluster that somebody bootstraps through all of it, by hand and with patience. */
async function history(seed: string) {
  const random = createSeededRandom(seed, 'schedule');
  const minor = minors[Math.floor(random.fraction() * minors.length)] as Minor;
  const spec = specOf(minor, random.fraction() < 0.3 ? 1 : 3, Math.floor(random.fraction() * 3));
  const { world, kernel, network } = createMemoryWorld({ seed, shuffleTies: true, faults: swarmFaults(random, { calmAfterMs, classes }) });
  let kube: ReturnType<typeof createKubeModel> | undefined;
  const talos = startCluster(kernel, network, spec, {
    kube: (one, host) => {
      kube = createKubeModel(one, host);
      return kube;
    },
  });
  const invariants = watchInvariants(kernel, spec, talos, () => kube);
  const { bundle, texts } = await configsOf(world, minor, spec);
  const driver = driverOf(world, spec, texts, await adminTrust(world, bundle));
  const events: string[] = [];
  kernel.onEvent((event) => events.push(JSON.stringify(event)));

  // An install that failed throws a machine back into maintenance mode: it takes its configuration again.
  const applyWhereMissing = async () => {
    for (const machine of talos.machines) {
      if (machine.get('api') !== 'maintenance' || machine.get('busy')) continue;
      await driver
        .insecure(machine.name)
        .applyConfiguration({ text: driver.configOf(machine.name) }, 'auto', signal)
        .catch(() => {});
    }
  };
  await driver.until('every machine to be installed', async () => {
    await applyWhereMissing();
    return talos.machines.every((machine) => machine.get('installed') && machine.get('api') === 'configured') ? true : undefined;
  });
  await driver.until('etcd', async () => {
    if (talos.etcd.clusters().length > 0) return true;
    await driver.mutator('cp-1').bootstrap({}, signal);
    return undefined;
  });
  await kernel.clock.sleep(Math.max(0, calmAfterMs - kernel.clock.monotonicMs()));
  await driver.until('the whole cluster', async () => (invariants.missing().length === 0 ? true : undefined));
  await kernel.clock.sleep(5 * 60_000);
  return { violations: invariants.violations(), missing: invariants.missing(), hits: kernel.faultHits(), events };
}

test('whatever goes wrong for a quarter of an hour, the machines come together afterwards, with one etcd', async () => {
  const hits: Record<string, number> = {};
  for (let number = 1; number <= 16; number += 1) {
    const run = await history(`history ${number}`);
    expect({ number, violations: run.violations, missing: run.missing }).toEqual({ number, violations: [], missing: [] });
    for (const [name, count] of Object.entries(run.hits)) hits[name] = (hits[name] ?? 0) + count;
  }
  const wanted = faultClasses.filter(
    ({ point, meets }) => meets === undefined && point.startsWith('talos/') && !point.includes('event-delivery') && point !== 'talos/clock',
  );
  expect(wanted.map(({ point, kind }) => `${point} ${kind}`).filter((name) => !hits[name])).toEqual([]);
});

test('a history repeats itself, event for event', async () => {
  const first = await history('again');
  expect((await history('again')).events).toEqual(first.events);
});
