import { expect, test } from 'vitest';
import { fitting } from '../../../lib/ui/index.ts';
import { onPty } from './pty.ts';

const picks = [
  { value: 'talos:apply', about: 'Apply the configs of all nodes' },
  { value: 'talos:apply-node', about: 'Apply one config' },
  { value: 'talos:upgrade-node', about: 'Upgrade Talos on one node' },
];
const found = (input: string) => fitting(input, picks).map(({ value }) => value);

test('every typed word occurs somewhere, and names go before summaries', () => {
  expect(found('')).toEqual(['talos:apply', 'talos:apply-node', 'talos:upgrade-node']);
  expect(found('UP node')).toEqual(['talos:upgrade-node']);
  expect(found('node')).toEqual(['talos:apply-node', 'talos:upgrade-node', 'talos:apply']);
  expect(found('nothing')).toEqual([]);
});

test('Enter takes what is marked: the best name for what was typed', { timeout: 10_000 }, async () => {
  const program = onPty('pick', [], { columns: 60, rows: 12 });
  await program.shows(/^❯ bootstrap .*\n {2}talos:apply /m);
  program.type('health');
  await program.shows(/^❯ talos:health .*\n {2}bootstrap /m);
  program.type('\r');
  await program.shows('picked talos:health');
  expect(await program.exitCode).toBe(0);
});
