import type { Command } from './command.ts';

export const completionCommands: readonly Command[] = [
  {
    name: 'completion',
    summary: 'Print the completion script of a shell',
    usage: 'completion SHELL',
    arguments: [{ name: 'shell', kind: 'value', position: 0, required: true, about: 'bash, zsh, fish or powershell' }],
    alsoHelp: [
      ['bash, zsh', 'source <(tk completion bash)'],
      ['fish', 'tk completion fish | source'],
      ['powershell', 'tk completion powershell | Out-String | Invoke-Expression'],
    ],
    load: () => import('./completion.ts'),
  },
];
