import { setTimeout as wait } from 'node:timers/promises';
import { type Minor, specOf, versions } from '../../unit/sim/cluster-rig.ts';
import { type Command, network } from './commands.ts';
import { openStockCluster } from './harness.ts';
import type { Transcript } from './transcript.ts';

const cp = `${network}.11`;
const worker = `${network}.21`;
const other = `${network}.22`;
const schematic = '376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba';

/** One patch release on, of Talos and of Kubernetes. */
export const next = (version: string): string => version.replace(/\d+$/, (patch) => String(Number(patch) + 1));

const modern: readonly Minor[] = ['1.13', '1.14'];

/** What takes machines away, changes them and gives them back, in this order on one control plane and two workers. */
export const upkeepCommands = (client: Minor, server: Minor): readonly Command[] => {
  const image = `factory.talos.dev/metal-installer/${schematic}:${next(versions[server].talos)}`;
  const kubernetes = next(versions[server].kubernetes);
  const drains = modern.includes(client);
  return [
    { argv: ['etcd', 'snapshot', 'db.snapshot', '-n', cp] },
    { argv: ['support', '-O', 'support.zip', '-n', `${cp},${worker}`], compares: ['Version'] },
    // The machine drains by itself on the old way; the new one does it from outside.
    { argv: ['upgrade', '-n', worker, '--image', image, '--timeout', '120s'], disrupts: true, compares: ['Upgrade', 'Pull', 'Reboot'] },
    ...(drains
      ? []
      : [{ argv: ['upgrade', '-n', other, '--image', image, '--stage', '--timeout', '120s'], disrupts: true, compares: ['Upgrade'] }]),
    { argv: ['rollback', '-n', worker], disrupts: true },
    { argv: ['reboot', '-n', worker, '--mode', 'powercycle', '--timeout', '120s'], disrupts: true, compares: ['Version', 'Reboot'] },
    { argv: ['upgrade-k8s', '-n', cp, '--to', kubernetes, '--dry-run'], compares: ['Version', 'Kubeconfig', 'Get'] },
    { argv: ['upgrade-k8s', '-n', cp, '--to', kubernetes], disrupts: true, compares: ['Version', 'Kubeconfig', 'ImagePull'] },
    { argv: ['reset', '-n', other, '--reboot', '--timeout', '120s'], compares: ['Version', 'Reset'] },
    {
      argv: ['reset', '-n', cp, '--graceful=false', '--reboot', '--system-labels-to-wipe', 'EPHEMERAL', '--timeout', '120s'],
      compares: ['Version', 'Reset'],
    },
  ];
};

export const recoverCommands: readonly Command[] = [
  { argv: ['bootstrap', '--recover-from=db.snapshot', '-n', cp] },
  { argv: ['etcd', 'members', '-n', cp] },
];

export async function recordUpkeep(folder: string, client: Minor, server: Minor): Promise<Transcript> {
  const cluster = await openStockCluster(folder, client, server, specOf(server, 1, 2, network));
  const { driver } = cluster;
  try {
    for (const { name } of cluster.spec.machines)
      await driver.until(`${name} to be in maintenance mode`, async () => {
        await driver.insecure(name).applyConfiguration({ text: driver.configOf(name) }, 'auto', AbortSignal.timeout(5000));
        return true;
      });
    await cluster.untilBootstrap();
    await driver.mutator('cp-1').bootstrap({}, AbortSignal.timeout(5000));
    for (const { name } of cluster.spec.machines) await driver.stage(name, 'running');
    await wait(3000);
    await cluster.run(upkeepCommands(client, server).map((command) => ({ ...command, keeps: 'kinds' as const })));
    await driver.until('cp-1 to wait for bootstrap', async () => {
      const services = await driver.reader('cp-1').services(AbortSignal.timeout(5000));
      return services.some((one) => one.id === 'etcd' && one.state === 'Preparing') ? true : undefined;
    });
    await cluster.run(recoverCommands.slice(0, 1));
    await driver.stage('cp-1', 'running');
    await cluster.run(recoverCommands.slice(1));
    return { client, talosVersion: versions[server].talos, commands: cluster.commands };
  } finally {
    await cluster.close();
  }
}
