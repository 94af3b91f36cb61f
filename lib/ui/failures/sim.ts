import type { SimFailures } from '../../sim/index.ts';
import type { Printers } from './printer.ts';

export const simPrinters: Printers<SimFailures> = {
  'sim/in-use': ({ directory, heldBy }) => ({
    title: `the sandbox in \`${directory}\` is in use`,
    because: `it is held by ${heldBy}`,
    help: 'wait for that command to end, or stop `npx tk sim:up`',
  }),
  'sim/log-damaged': ({ path, line }) => ({
    title: `the state of the sandbox is damaged in line ${line}`,
    because: `\`${path}\` was changed by something else than tk`,
    help: 'throw the sandbox away with `npx tk sim:reset`',
  }),
  'sim/other-cluster': ({ directory, expected, found }) => ({
    title: `the sandbox in \`${directory}\` belongs to \`${found}\`, expected \`${expected}\``,
    help: 'throw the sandbox away with `npx tk sim:reset`',
  }),
  'sim/stuck': ({ atMs, reason }) => ({
    title: `the simulation is stuck at ${atMs} ms of its time`,
    because: reason === 'busy-loop' ? 'something repeats without letting time pass' : 'nothing is left to happen and the run has not ended',
  }),
};
