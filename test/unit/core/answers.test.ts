import { expect, test } from 'vitest';
import { z } from 'zod';
import { askForMissing, firstAnswer, type Prompter, taskDefiner, withAnswers } from '../../../lib/core/index.ts';

const asked: string[] = [];
const person: Prompter = {
  text: async ({ name }) => (asked.push(name), 'typed'),
  password: async () => Promise.reject(new Error('not expected')),
  confirm: async ({ name }) => (asked.push(name), false),
  select: async ({ name, choices }) => (asked.push(name), choices[1]?.value ?? ''),
  multiselect: async () => [],
};
const given = (record: Readonly<Record<string, unknown>>) => (name: string) =>
  Object.hasOwn(record, name) ? { value: record[name], from: 'answers.yaml' } : undefined;

test('an answer that was given is not asked for, and is checked like a typed one', async () => {
  asked.length = 0;
  const prompter = withAnswers(
    person,
    firstAnswer(given({ name: 'cp-9' }), given({ name: 'never', sure: 'yes', wipe: 'home-ops', size: 3, disk: '/dev/sda', parts: 'a, b' })),
  );
  const choices = [{ value: '/dev/nvme0n1' }, { value: '/dev/sdb' }];
  expect(await prompter.text({ name: 'name', message: 'Name?' })).toBe('cp-9');
  expect(await prompter.text({ name: 'size', message: 'Size?' })).toBe('3');
  expect(await prompter.text({ name: 'other', message: 'Other?' })).toBe('typed');
  expect(await prompter.confirm({ name: 'sure', message: 'Sure?' })).toBe(true);
  expect(await prompter.confirm({ name: 'wipe', message: 'Wipe?', phrase: 'home-ops' })).toBe(true);
  expect(await prompter.confirm({ name: 'wipe', message: 'Wipe?', phrase: 'prod' })).toBe(false);
  expect(await prompter.multiselect({ name: 'parts', message: 'Parts?', choices: [{ value: 'a' }, { value: 'b' }] })).toEqual(['a', 'b']);
  await expect(prompter.select({ name: 'disk', message: 'Disk?', choices })).rejects.toMatchObject({
    failure: {
      code: 'prompt/bad-answer',
      facts: { name: 'disk', message: 'Disk?', from: 'answers.yaml', problem: 'it is none of /dev/nvme0n1, /dev/sdb' },
    },
  });
  await expect(prompter.text({ name: 'name', message: 'Name?', validate: () => 'too long' })).rejects.toMatchObject({
    failure: { code: 'prompt/bad-answer', facts: { problem: 'too long' } },
  });
  await expect(withAnswers(person, given({ sure: 'perhaps' })).confirm({ name: 'sure', message: 'Sure?' })).rejects.toMatchObject({
    failure: { code: 'prompt/bad-answer' },
  });
  expect(asked).toEqual(['other']);
});

test("a task's questions are answered beforehand, by a person, or not at all", async () => {
  asked.length = 0;
  const reset = taskDefiner<{ plan: { known: readonly string[] }; run: object }>()({
    summary: 'Reset one machine',
    params: z.object({ node: z.string().optional(), mode: z.string() }),
    effect: 'destroy',
    questions: ({ node }, { known }) =>
      node === undefined ? [{ param: 'node', message: 'Which?', choices: known.map((value) => ({ value })) }] : [],
    run: () => {},
  });
  const options = { scope: { known: ['cp-1', 'cp-2'] }, answers: given({}) };
  const words = [['mode', 'full']] as const;
  expect(await askForMissing('reset', reset, [...words, ['node', 'cp-1']], options)).toEqual({ mode: 'full', node: 'cp-1' });
  expect(await askForMissing('reset', reset, words, { ...options, answers: given({ node: 'cp-1' }) })).toEqual({
    mode: 'full',
    node: 'cp-1',
  });
  expect(await askForMissing('reset', reset, words, { ...options, prompter: person })).toEqual({ mode: 'full', node: 'cp-2' });
  expect(asked).toEqual(['node']);
  await expect(askForMissing('reset', reset, words, options)).rejects.toMatchObject({
    failure: { code: 'prompt/no-terminal', facts: { name: 'node', message: 'Which?', confirmation: false, choices: ['cp-1', 'cp-2'] } },
  });
  // What the schema itself requires is all told at once.
  await expect(askForMissing('reset', reset, [], options)).rejects.toMatchObject({
    failure: { code: 'params/missing', facts: { param: 'mode' } },
  });
  expect(await askForMissing('reset', reset, [], { ...options, answers: given({ node: 'cp-1', mode: 'quick' }) })).toEqual({
    mode: 'quick',
    node: 'cp-1',
  });
});
