// Runs stock talosctl against the simulator behind real sockets and records every call.
// `node test/oracle/talosctl/record.ts FOLDER [1.14-to-1.14]`, where FOLDER holds talosctl-1.12, talosctl-1.13 and talosctl-1.14.
// Linux only. With `upkeep` as third word: what takes machines away and gives them back, on a cluster of its own.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Minor, specOf, versions } from '../../unit/sim/cluster-rig.ts';
import { bootstrapCommands, commandsAfterBoot, commandsInMaintenance, network } from './commands.ts';
import { openStockCluster, pairs } from './harness.ts';
import type { Transcript } from './transcript.ts';
import { recordUpkeep } from './upkeep.ts';

const [folder, wanted, what] = process.argv.slice(2);
if (folder === undefined) throw new Error('say where the talosctl binaries lie');

async function record(client: Minor, server: Minor): Promise<Transcript> {
  const cluster = await openStockCluster(folder as string, client, server, specOf(server, 3, 1, network));
  try {
    await cluster.run(commandsInMaintenance);
    await cluster.untilBootstrap();
    await cluster.run(bootstrapCommands);
    for (const { name } of cluster.spec.machines) await cluster.driver.stage(name, 'running');
    await cluster.run(commandsAfterBoot);
    return { client, talosVersion: versions[server].talos, commands: cluster.commands };
  } finally {
    await cluster.close();
  }
}

for (const [client, server] of pairs) {
  if (wanted !== undefined && wanted !== 'all' && wanted !== `${client}-to-${server}`) continue;
  const { commands, ...head } = what === 'upkeep' ? await recordUpkeep(folder, client, server) : await record(client, server);
  // One command a line, so that a new recording reads as a difference.
  const lines = commands.map((command) => JSON.stringify(command)).join(',\n');
  const text = `${JSON.stringify(head).slice(0, -1)},"commands":[\n${lines}\n]}\n`;
  const subject = what === 'upkeep' ? 'talosctl-upkeep' : 'talosctl';
  writeFileSync(join(import.meta.dirname, `../../conformance/${subject}/${client}-to-${server}.json`), text);
}
