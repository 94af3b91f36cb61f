// Prints what watching machines costs, in ring A: memory and virtual time. Nothing here gates anything.
//
//   node --conditions=talos-tk-source bench/observing.ts
import { simulate } from '../lib/testing.ts';
import { bareNodeMs } from './bare-node.ts';

function print(name: string, ms: number, note: string): void {
  process.stdout.write(`${name.padEnd(52)} ${`${ms.toFixed(0)} ms`.padStart(9)} ${(ms / bareNodeMs).toFixed(2).padStart(8)}  ${note}\n`);
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

process.stdout.write(`${'what'.padEnd(52)} ${'cpu'.padStart(9)} ${'× node'.padStart(8)}\n`);

/** The kernel of a simulated machine has one line for each disk. */
const linesPerNode = 2000;
await using rig = await simulate({
  controlPlanes: 3,
  workers: 17,
  hardware: (machine) => ({
    ...machine,
    disks: [
      ...machine.disks,
      ...machine.disks.slice(0, 1).flatMap((disk) =>
        Array.from({ length: linesPerNode }, (_, index) => ({
          ...disk,
          path: `/dev/sd-${index}`,
          sizeBytes: 1e9,
          model: 'a line of the log',
        })),
      ),
    ],
  }),
});
for (const [name, task, params] of [
  ['logs of 20 nodes streamed, all at once', 'talos:dmesg', {}],
  ['logs of 20 nodes followed for an hour', 'talos:dmesg', { follow: true }],
] as const) {
  const started = cpuMs();
  const run = await rig.tk(task, params, 'follow' in params ? { ctrlCAfterMs: 3_600_000 } : {});
  const ms = cpuMs() - started;
  const lines = run.printed.split('\n').length - 1;
  print(name, ms, `${lines} lines, ${Math.round(lines / ms)} a millisecond, exit ${run.exitCode}`);
}
