// What every row of these benches is compared with: a process of Node that does nothing.
import { spawnSync } from 'node:child_process';

/** Milliseconds of processor time, like all that is compared with it: on a busy machine wall time says nothing. */
export const bareNodeMs =
  Array.from({ length: 5 }, () =>
    Number(
      spawnSync(process.execPath, ['-e', 'const { user, system } = process.cpuUsage(); console.log((user + system) / 1000)'], {
        encoding: 'utf8',
      }).stdout,
    ),
  ).reduce((sum, ms) => sum + ms, 0) / 5;
