// Asks one question of the kind that is named on the command line, tells the answer or the failure's code.
import { failureOf } from '../../../../lib/base/index.ts';
import { createPrompter } from '../../../../lib/ui/index.ts';

const story: string[] = [];
const prompter = createPrompter({
  streams: process.stdin.isTTY ? { stdin: process.stdin as NodeJS.ReadStream, stdout: process.stdout } : undefined,
  suspend: () => story.push('suspended'),
  resume: () => story.push('resumed'),
});
const choices = [{ value: 'cp-1' }, { value: 'cp-2', hint: 'leader' }, { value: 'cp-3' }];
const questions: Readonly<Record<string, () => Promise<unknown>>> = {
  text: () =>
    prompter.text({ name: 'node', message: 'Which machine', validate: (answer) => (answer === '' ? 'a name, please' : undefined) }),
  password: async () => (await prompter.password({ name: 'token', message: 'Token' })).reveal().length,
  confirm: () => prompter.confirm({ name: 'yes', message: 'Wipe cp-1?' }),
  phrase: () => prompter.confirm({ name: 'yes', message: 'Wipe cp-1?', phrase: 'cp-1' }),
  select: () => prompter.select({ name: 'node', message: 'Which machine', choices }),
  multiselect: () => prompter.multiselect({ name: 'nodes', message: 'Which machines', choices }),
};
const answer = await questions[process.argv[2] ?? '']?.().then(
  (value) => JSON.stringify(value),
  (error: unknown) => failureOf(error).code,
);
process.stdout.write(`\nanswer ${answer} ${story.join(' ')}\n`);
process.exit(0);
