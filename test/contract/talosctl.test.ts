import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TalosTrust } from '../../lib/base/index.ts';
import { createKubeModel, createMemoryWorld, startCluster } from '../../lib/sim/index.ts';
import { commandsAfterBoot, network } from '../oracle/talosctl/commands.ts';
import type { RecordedCommand, Transcript } from '../oracle/talosctl/transcript.ts';
import { adminTrust, configsOf, driverOf, type Minor, specOf } from '../unit/sim/cluster-rig.ts';
import { sayAgain } from './say-again.ts';

/** What stock talosctl said to the simulator and took for an answer, said again to the same models in memory. */
const recorded = (client: Minor, server: Minor) =>
  JSON.parse(readFileSync(new URL(`../conformance/talosctl/${client}-to-${server}.json`, import.meta.url), 'utf8')) as Transcript;

async function runningCluster(minor: Minor) {
  const memory = createMemoryWorld();
  const spec = specOf(minor, 3, 1, network);
  startCluster(memory.kernel, memory.network, spec, { kube: (kernel, host) => createKubeModel(kernel, host) });
  const { bundle, texts } = await configsOf(memory.world, minor, spec);
  const trust = await adminTrust(memory.world, bundle);
  const driver = driverOf(memory.world, spec, texts, trust);
  const inMaintenance = specOf(minor, 3, 1, network);
  return { ...memory, spec: inMaintenance, texts, trust, driver };
}

const titleOf = ({ argv }: RecordedCommand) => argv.join(' ');

const pairs = [
  ['1.12', '1.12'],
  ['1.13', '1.13'],
  ['1.14', '1.14'],
  ['1.14', '1.12'],
  ['1.12', '1.14'],
] as const;

describe.each(pairs)('talosctl %s against Talos %s', (client, server) => {
  const transcript = recorded(client, server);
  const firstAfterBoot = transcript.commands.findLastIndex((command) => titleOf(command).startsWith('bootstrap'));
  const afterBoot = transcript.commands.slice(firstAfterBoot);
  let cluster: Awaited<ReturnType<typeof runningCluster>>;

  beforeAll(async () => {
    cluster = await runningCluster(server);
  });

  const configOf = (address: string) => {
    const machine = cluster.spec.machines.find((one) => one.address === address);
    return cluster.texts.get(machine?.name ?? '') ?? '';
  };
  const compare = async (commands: readonly RecordedCommand[], trust: TalosTrust) => {
    const differences: unknown[] = [];
    for (const command of commands) {
      for (const call of command.calls) {
        if (command.compares && !command.compares.includes(call.path.slice(call.path.lastIndexOf('/') + 1))) continue;
        const answer = await sayAgain(cluster.world, call, trust, configOf);
        const was = { status: call.status, fields: call.fields };
        const isSame =
          call.status === undefined
            ? answer.fields.every((field) => call.fields.includes(field))
            : JSON.stringify(answer) === JSON.stringify(was);
        if (!isSame) differences.push({ command: titleOf(command), path: call.path, was, answer });
      }
      if (command.disrupts) for (const { name } of cluster.spec.machines) await cluster.driver.stage(name, 'running');
    }
    return differences;
  };

  test('in maintenance mode', async () => {
    const insecure = transcript.commands.filter((command) => command.argv.includes('--insecure'));
    expect(insecure.map((command) => [titleOf(command), command.exitCode])).toMatchSnapshot();
    expect(await compare(insecure, { kind: 'insecure' })).toEqual([]);
  });

  test('in a running cluster', async () => {
    const { driver, spec } = cluster;
    await driver.until('cp-1 to wait for bootstrap', async () => {
      const services = await driver.reader('cp-1').services(AbortSignal.timeout(5000));
      return services.some((one) => one.id === 'etcd' && one.state === 'Preparing') ? true : undefined;
    });
    await driver.mutator('cp-1').bootstrap({}, AbortSignal.timeout(5000));
    for (const { name } of spec.machines) await driver.stage(name, 'running');
    await cluster.world.clock.sleep(600_000);
    expect(afterBoot.length).toBe(commandsAfterBoot.filter(({ clients }) => !clients || clients.includes(client)).length);
    expect(afterBoot.map((command) => [titleOf(command), command.exitCode])).toMatchSnapshot();
    expect(await compare(afterBoot, cluster.trust)).toEqual([]);
  });
});
