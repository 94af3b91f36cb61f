import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type JournalRecord, openJournal, readJournal } from '../../../lib/core/journal.ts';
import { loadRuns, openIntents, pruneRuns, runToResume } from '../../../lib/core/runs.ts';
import { MemoryFiles } from './rig.ts';

const path = '/j/journal.jsonl';

async function written(records: readonly JournalRecord[]): Promise<string> {
  const files = new MemoryFiles();
  let now = 0;
  const journal = await openJournal(files, path, () => (now += 1));
  for (const record of records) await journal.append(record);
  await journal.close();
  return files.disk.get(path)?.text ?? '';
}

const records: readonly JournalRecord[] = [
  { type: 'run', run: '01', version: '0', goals: ['start'], argv: ['start'], identity: 'home' },
  { type: 'intent', key: 'start', identity: 'home', target: 'cp-1 ✔' },
  { type: 'result', key: 'start', identity: 'home', seen: 'a member' },
  { type: 'end', outcome: 'succeeded', exitCode: 0 },
];

test('what was written is read back in order', async () => {
  const { entries, torn } = readJournal(await written(records));
  expect(torn).toBe(false);
  expect(entries.map((entry) => entry.record)).toEqual(records);
});

test('a journal cut at any byte gives the lines that are whole', async () => {
  const text = await written(records);
  for (let length = 0; length < text.length; length += 1) {
    const cut = text.slice(0, length);
    const whole = cut.split('\n').length - 1;
    const { entries, torn } = readJournal(cut);
    expect({ length, entries: entries.map((entry) => entry.record), torn }).toEqual({
      length,
      entries: records.slice(0, whole),
      torn: !(cut === '' || cut.endsWith('\n')),
    });
  }
});

test('a changed, moved, repeated or missing line ends the journal there', async () => {
  const text = await written(records);
  const lines = text.trimEnd().split('\n');
  const kept = (order: readonly number[]) => readJournal(order.map((index) => `${lines[index]}\n`).join('')).entries.length;
  expect([kept([0, 2, 1, 3]), kept([0, 0, 1, 2]), kept([0, 2, 3]), kept([1, 2, 3]), kept([0, 1, 2, 3])]).toEqual([1, 1, 1, 0, 4]);
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.integer({ min: 32, max: 126 }), (index, code) => {
      const character = String.fromCharCode(code);
      if (text[index] === character) return;
      const { entries } = readJournal(text.slice(0, index) + character + text.slice(index + 1));
      expect(entries.map((entry) => entry.record)).toEqual(records.slice(0, text.slice(0, index).split('\n').length - 1));
    }),
    { numRuns: 500 },
  );
});

test('a result in a later run closes the intent of an earlier one; runs without a first line are left out', async () => {
  const files = new MemoryFiles();
  const ids = ['01HZZZZZZZZZZZZZZZZZZZZZZ1', '01HZZZZZZZZZZZZZZZZZZZZZZ2', '01HZZZZZZZZZZZZZZZZZZZZZZ3'];
  const put = async (id: string, lines: readonly JournalRecord[]) => files.write(`/t/runs/${id}/journal.jsonl`, await written(lines));
  const head = (run: string): JournalRecord => ({ type: 'run', run, version: '0', goals: ['start'], argv: [], identity: 'home' });
  await put(ids[0] ?? '', [
    head(ids[0] ?? ''),
    { type: 'intent', key: 'a', identity: 'home', target: 'cp-1' },
    { type: 'intent', key: 'b', identity: 'home' },
    { type: 'intent', key: 'a', identity: 'elsewhere' },
  ]);
  await files.write(`/t/runs/${ids[1]}/journal.jsonl`, 'nonsense');
  await put(ids[2] ?? '', [head(ids[2] ?? ''), { type: 'result', key: 'b', identity: 'home' }]);
  const runs = await loadRuns(files, '/t');
  expect(runs.map((run) => run.id)).toEqual([ids[2], ids[0]]);
  expect([...openIntents(runs, 'home')]).toEqual([['a', { runId: ids[0], at: 2, target: 'cp-1' }]]);
});

test('old runs are removed, except those whose intent is still open; resume takes the newest that did not end well', async () => {
  const files = new MemoryFiles();
  const ids = ['1', '2', '3', '4'].map((last) => `01HZZZZZZZZZZZZZZZZZZZZZZ${last}`);
  for (const [index, id] of ids.entries()) {
    const lines: JournalRecord[] = [
      { type: 'run', run: id, version: '0', goals: ['start'], argv: ['start'], identity: 'home' },
      ...(index === 0 ? [{ type: 'intent' as const, key: 'a', identity: 'home' }] : []),
      { type: 'end', outcome: 'x', exitCode: index === 3 ? 1 : 0 },
    ];
    await files.write(`/t/runs/${id}/journal.jsonl`, await written(lines));
  }
  await pruneRuns(files, '/t', 2);
  const runs = await loadRuns(files, '/t');
  expect(runs.map((run) => run.id)).toEqual([ids[3], ids[2], ids[0]]);
  expect(runToResume(runs).id).toBe(ids[3]);
  expect(runToResume(runs, ids[0]).id).toBe(ids[0]);
  expect(() => runToResume(runs.slice(1))).toThrow('journal/no-run');
  expect(() => runToResume(runs, 'x')).toThrow('journal/no-run');
});
