import { bashCompletion } from './bash-completion.ts';
import type { CommandContext } from './command.ts';
import { choiceOf, requiredText } from './inputs.ts';

const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;

/** The script asks `tk complete -- WORDS` at each tab; `complete.ts` answers it. Failure: `usage/bad-value`. */
export async function run({ values, print }: CommandContext): Promise<number> {
  const shell = choiceOf(requiredText(values, 'shell'), 'SHELL', shells);
  if (shell === 'bash') print(bashCompletion);
  else (await import('@bomb.sh/tab')).default.setup('tk', 'tk', shell);
  return 0;
}
