import { expect, test } from 'vitest';
import { createPrompter } from '../../../lib/ui/index.ts';
import { onPty } from './pty.ts';

const size = { columns: 80, rows: 24 };

test.each([
  ['text', 'Which machine', '\r', 'a name, please', 'cp-9\r', '"cp-9"'],
  ['confirm', 'Wipe cp-1?', 'y', undefined, '', 'true'],
  ['phrase', 'Type cp-1', 'cp-2\r', undefined, '', 'false'],
  ['select', 'Which machine', '\u001b[B\r', undefined, '', '"cp-2"'],
  ['multiselect', 'Which machines', ' \u001b[B \r', undefined, '', '["cp-1","cp-2"]'],
])('%s', { timeout: 10_000 }, async (kind, message, keys, then, more, answer) => {
  const program = onPty('ask', [kind], size);
  await program.shows(message);
  program.type(keys);
  if (then !== undefined) {
    await program.shows(then);
    program.type(more);
  }
  await program.shows(`answer ${answer} suspended resumed`);
  expect(await program.exitCode).toBe(0);
});

test('a password is never shown', { timeout: 10_000 }, async () => {
  const program = onPty('ask', ['password'], size);
  await program.shows('Token');
  program.type('hunter2\r');
  await program.shows('answer 7 suspended resumed');
  expect(program.raw()).not.toContain('hunter2');
});

test.each(['text', 'confirm', 'select'])('Ctrl-C leaves %s as a cancelled question, without a crash', { timeout: 10_000 }, async (kind) => {
  const program = onPty('ask', [kind], size);
  await program.shows(kind === 'confirm' ? 'Wipe' : 'Which machine');
  program.type('\u0003');
  await program.shows('answer prompt/cancelled suspended resumed');
  expect(await program.exitCode).toBe(0);
});

test('without a terminal nothing waits: the failure names what to give', async () => {
  const prompter = createPrompter({ streams: undefined, suspend() {}, resume() {} });
  await expect(prompter.text({ name: 'node', message: 'Which machine' })).rejects.toMatchObject({
    failure: { code: 'prompt/no-terminal', facts: { name: 'node', message: 'Which machine', confirmation: false } },
  });
  await expect(prompter.confirm({ name: 'yes', message: 'Wipe?' })).rejects.toMatchObject({ failure: { facts: { confirmation: true } } });
  await expect(prompter.confirm({ name: 'yes', message: 'Wipe?', phrase: 'cp-1' })).rejects.toMatchObject({
    failure: { facts: { confirmation: true, phrase: 'cp-1' } },
  });
});
