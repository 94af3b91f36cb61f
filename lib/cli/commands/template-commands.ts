import type { Command } from './command.ts';

export const templateCommands: readonly Command[] = [
  {
    name: 'template:eval',
    summary: 'Evaluate one template with data from a JSON file',
    usage: 'template:eval --dialect makejinja|minijinja|jinja|nunjucks [--strict] --template F --data F.json',
    options: [
      ['--dialect NAME', 'makejinja, minijinja, jinja or nunjucks'],
      ['--template F', 'the template; what it includes is looked for beside it'],
      ['--data F', 'a JSON object'],
      ['--strict', 'fail where something undefined is used'],
      ['', 'minijinja goes by MINIJINJA_CONFIG_FILE or the nearest .minijinja.toml'],
    ],
    arguments: [
      { name: 'dialect', kind: 'value', required: true },
      { name: 'template', kind: 'value', required: true },
      { name: 'data', kind: 'value', required: true },
      { name: 'strict', kind: 'boolean' },
    ],
    load: () => import('./template-eval.ts'),
  },
];
