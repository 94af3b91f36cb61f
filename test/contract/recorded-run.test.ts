import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseRecording } from '../../lib/cli/record/recording.ts';
import { machinesIn, replay } from './recorded-run.ts';

/** Recordings that `tk run --record` made: of the simulator itself, and of every machine that somebody recorded. */
const folder = new URL('../conformance/recorded-run/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));

test.each(names)('what was recorded in %s is what the simulator answers', { timeout: 60_000 }, async (name) => {
  const recording = parseRecording(readFileSync(new URL(name, folder), 'utf8'));
  expect(machinesIn(recording).spec.machines.length).toBeGreaterThan(0);
  expect(await replay(recording)).toEqual([]);
});

test('an answer of another kind is named', { timeout: 60_000 }, async () => {
  const recording = parseRecording(readFileSync(new URL(names[0] ?? '', folder), 'utf8'));
  const exchanges = recording.exchanges.map((one) =>
    one.kind === 'talos' && one.path === '/machine.MachineService/Version'
      ? { ...one, status: { code: 7, message: 'not authorized' }, replies: [] }
      : one,
  );
  const disagreements = await replay({ ...recording, exchanges });
  expect(new Set(disagreements.map(({ call, recorded }) => `${call} ${recorded}`))).toEqual(new Set(['/machine.MachineService/Version 7']));
});
