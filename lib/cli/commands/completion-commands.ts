import type { Command } from './command.ts';

export const completionCommands: readonly Command[] = [
  {
    name: 'completion',
    summary: 'Print the completion script of a shell',
    usage: 'completion SHELL',
    options: [
      ['SHELL', 'bash, zsh, fish or powershell'],
      ['bash, zsh', 'source <(tk completion bash)'],
      ['fish', 'tk completion fish | source'],
      ['powershell', 'tk completion powershell | Out-String | Invoke-Expression'],
    ],
    arguments: [{ name: 'shell', kind: 'value', position: 0, required: true }],
    load: () => import('./completion.ts'),
  },
];
