// Prints what planning and simulating upgrades costs, in ring A: memory and virtual time. Nothing here gates anything.
//
//   node --conditions=talos-tk-source bench/upgrades.ts
import { simulate } from '../lib/testing.ts';
import { bareNodeMs } from './bare-node.ts';

interface Row {
  readonly name: string;
  readonly ms: number;
  readonly note: string;
}

function print({ name, ms, note }: Row): void {
  process.stdout.write(`${name.padEnd(52)} ${`${ms.toFixed(0)} ms`.padStart(9)} ${(ms / bareNodeMs).toFixed(2).padStart(8)}  ${note}\n`);
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

async function timed<T>(work: () => Promise<T>): Promise<{ readonly ms: number; readonly value: T }> {
  const started = cpuMs();
  const value = await work();
  return { ms: cpuMs() - started, value };
}

process.stdout.write(`${'what'.padEnd(52)} ${'cpu'.padStart(9)} ${'× node'.padStart(8)}\n`);

{
  await using rig = await simulate({ controlPlanes: 5, workers: 95, talos: 'v1.13.9', kubernetes: 'v1.35.4' });
  const target = { toTalos: 'v1.14.1', toKubernetes: 'v1.37.0' };
  await rig.plan('upgrade', target);
  const { ms, value } = await timed(() => rig.plan('upgrade', target));
  print({ name: 'plan of 100 nodes, facts asked of each', ms, note: `${value.counts.run} steps, ${value.counts.calls} mutating calls` });
  const { kubernetesUpgrade } = rig.cluster;
  const facts = await kubernetesUpgrade.facts(new AbortController().signal);
  const pure = await timed(async () => {
    for (let index = 0; index < 100; index += 1) kubernetesUpgrade.hops(facts, { talos: target.toTalos, kubernetes: target.toKubernetes });
  });
  print({ name: 'hops of 100 nodes from facts', ms: pure.ms / 100, note: '' });
}

{
  await using rig = await simulate({ controlPlanes: 3, workers: 3, talos: 'v1.13.9', kubernetes: 'v1.36.2' });
  const versions = ['v1.36.3', 'v1.36.2', 'v1.36.3'];
  const { ms } = await timed(async () => {
    for (const to of versions) await rig.tk('talos:upgrade-k8s', { to });
  });
  const each = ms / versions.length;
  print({ name: 'talos:upgrade-k8s of six nodes, simulated', ms: each, note: `${(1000 / each).toFixed(2)} runs a second on one core` });
  for (const [name, params] of [
    ['talos:upgrade-k8s', { to: 'v1.36.3' }],
    ['talos:upgrade', { to: 'v1.13.9' }],
    ['upgrade', { toTalos: 'v1.13.9', toKubernetes: 'v1.36.3' }],
  ] as const) {
    const second = await timed(() => rig.tk(name, params));
    print({
      name: `${name} of six nodes, nothing to do`,
      ms: second.ms,
      note: `${second.value.counts.steps.changes} mutating steps, ${second.value.counts.steps.checked} looked at`,
    });
  }
}

{
  await using rig = await simulate({ controlPlanes: 3, workers: 1, talos: 'v1.13.0' });
  const versions = ['v1.13.1', 'v1.13.2', 'v1.13.3', 'v1.13.4', 'v1.13.5', 'v1.13.6', 'v1.13.7', 'v1.13.8'];
  await rig.tk('talos:upgrade-node', { node: 'worker-1', to: 'v1.13.1' });
  const { ms } = await timed(async () => {
    for (const to of versions.slice(1)) await rig.tk('talos:upgrade-node', { node: 'worker-1', to });
  });
  const each = ms / (versions.length - 1);
  print({ name: 'talos:upgrade-node, simulated', ms: each, note: `${(1000 / each).toFixed(1)} runs a second on one core` });
}
