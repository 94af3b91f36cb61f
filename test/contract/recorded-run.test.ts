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

test('a run that asked workers alone is replayed, too', { timeout: 60_000 }, async () => {
  const recording = parseRecording(readFileSync(new URL('simulator-1.14.jsonl', folder), 'utf8'));
  const leads = new Set(machinesIn(recording).spec.machines.flatMap(({ role, address }) => (role === 'controlplane' ? [address] : [])));
  const exchanges = recording.exchanges.filter((one) => one.kind === 'talos' && !leads.has(one.host));
  expect([leads.size > 0, exchanges.length > 0]).toEqual([true, true]);
  expect(machinesIn({ ...recording, exchanges }).spec.machines.map(({ name }) => name)).toContain('cp-1');
  expect(await replay({ ...recording, exchanges })).toEqual([]);
});

test('an answer of another kind is named', { timeout: 60_000 }, async () => {
  const recording = parseRecording(readFileSync(new URL('simulator-1.14.jsonl', folder), 'utf8'));
  const away = { status: { code: 14, message: 'connection refused' }, replies: [] };
  const status = recording.exchanges.find((one) => one.kind === 'talos' && one.path.endsWith('/EtcdStatus'));
  // Before it is told to reboot a member has no reason to be away; afterwards it has.
  const reboot = [status, { ...status, path: '/machine.MachineService/Reboot' }, status].map((one, index) => ({
    ...one,
    sequence: 10_000 + index,
    ...(index === 1 ? {} : away),
  })) as typeof recording.exchanges;
  const exchanges = [...recording.exchanges, ...reboot].map((one) =>
    one.kind === 'talos' && one.path === '/machine.MachineService/Version'
      ? { ...one, status: { code: 7, message: 'not authorized' }, replies: [] }
      : one,
  );
  const disagreements = await replay({ ...recording, exchanges });
  expect(new Set(disagreements.map(({ call, recorded }) => `${call} ${recorded}`))).toEqual(
    new Set(['/machine.MachineService/Version 7', '/machine.MachineService/EtcdStatus 14']),
  );
  expect(disagreements.filter(({ sequence }) => sequence >= 10_000).map(({ sequence }) => sequence)).toEqual([10_000]);
});
