import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createKubeModel, createMemoryWorld, startCluster } from '../../lib/sim/index.ts';
import { network } from '../oracle/talosctl/commands.ts';
import type { Transcript } from '../oracle/talosctl/transcript.ts';
import { next, recoverCommands, upkeepCommands } from '../oracle/talosctl/upkeep.ts';
import { adminTrust, configsOf, driverOf, type Minor, specOf, versions } from '../unit/sim/cluster-rig.ts';
import { sayAgain } from './say-again.ts';

const recorded = (client: Minor, server: Minor) =>
  JSON.parse(readFileSync(new URL(`../conformance/talosctl-upkeep/${client}-to-${server}.json`, import.meta.url), 'utf8')) as Transcript;

const pairs = [
  ['1.12', '1.12'],
  ['1.13', '1.13'],
  ['1.14', '1.14'],
  ['1.14', '1.12'],
  ['1.12', '1.14'],
] as const;

async function cluster(minor: Minor) {
  const memory = createMemoryWorld();
  const spec = specOf(minor, 1, 2, network);
  const talos = startCluster(memory.kernel, memory.network, spec, { kube: (kernel, host) => createKubeModel(kernel, host) });
  const { bundle, texts } = await configsOf(memory.world, minor, spec);
  const trust = await adminTrust(memory.world, bundle);
  const driver = driverOf(memory.world, spec, texts, trust);
  await driver.applyAll();
  await driver.until('cp-1 to wait for bootstrap', async () => {
    const services = await driver.reader('cp-1').services(AbortSignal.timeout(5000));
    return services.some((one) => one.id === 'etcd' && one.state === 'Preparing') ? true : undefined;
  });
  await driver.mutator('cp-1').bootstrap({}, AbortSignal.timeout(5000));
  for (const { name } of spec.machines) await driver.stage(name, 'running');
  await memory.world.clock.sleep(60_000);
  return { ...memory, talos, spec, driver, trust };
}

describe.each(pairs)('talosctl %s takes machines of Talos %s away and gives them back', (client, server) => {
  const { commands } = recorded(client, server);
  const titleOf = ({ argv }: { readonly argv: readonly string[] }) => argv.join(' ');

  test('every command was recorded, and the tool was content with what it got', () => {
    const argvOf = ({ argv }: (typeof recoverCommands)[number]) =>
      typeof argv === 'function' ? argv({ client, server, version: versions[server].talos }) : argv;
    expect(commands.map(titleOf)).toEqual(
      [...upkeepCommands(client, server), ...recoverCommands].map((command) => argvOf(command).join(' ')),
    );
    // A client does not lead to a Kubernetes that was not there when it was made: the table of 1.12 (go-kubernetes v0.2.28,
    // kubernetes/upgrade/path.go) ends before 1.37.
    const refused = client === '1.12' && server === '1.14' ? ['upgrade-k8s'] : [];
    expect(commands.filter(({ exitCode }) => exitCode !== 0).map(({ argv }) => argv[0])).toEqual(refused.flatMap((name) => [name, name]));
  });

  test('the same calls get the same answers in memory', async () => {
    const { world, driver, trust, talos } = await cluster(server);
    const differences: unknown[] = [];
    for (const command of commands) {
      for (const call of command.calls) {
        const name = call.path.slice(call.path.lastIndexOf('/') + 1);
        if (command.compares && !command.compares.includes(name)) continue;
        const answer = await sayAgain(world, call, trust, () => '');
        const isSame =
          call.status === undefined
            ? answer.fields.every((field) => call.fields.includes(field))
            : JSON.stringify(answer) === JSON.stringify({ status: call.status, fields: call.fields });
        if (!isSame) differences.push({ command: titleOf(command), path: call.path, was: [call.status, call.fields], answer });
      }
      if (command.disrupts) {
        await world.clock.sleep(60_000);
        for (const machine of talos.machines) await driver.stage(machine.name, 'running');
      }
      if (command.argv[0] === 'reset') await world.clock.sleep(120_000);
      if (command.argv[0] === 'bootstrap') await driver.stage('cp-1', 'running');
    }
    expect(differences).toEqual([]);
    // What they did to the machines, in ground truth.
    const stateOf = (name: string) => {
      const machine = talos.machines.find((one) => one.name === name);
      return [machine?.get('stage'), machine?.version(), machine?.get('installed') === undefined ? 'no system' : 'installed'];
    };
    expect(stateOf('worker-2')).toEqual(['maintenance', versions[server].talos, 'no system']);
    expect(stateOf('worker-1')).toEqual(['running', versions[server].talos, 'installed']);
    expect(next(versions[server].talos)).not.toBe(versions[server].talos);
    expect(talos.etcd.clusters()).toHaveLength(2);
  });
});
