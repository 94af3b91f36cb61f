import type { Command } from './command.ts';

export const templateCommands: readonly Command[] = [
  {
    name: 'template:eval',
    summary: 'Evaluate one template with data from a JSON file',
    usage: 'template:eval --dialect makejinja|minijinja|jinja|nunjucks [--strict] --template F --data F.json',
    arguments: [
      { name: 'dialect', kind: 'value', required: true, value: 'NAME', about: 'makejinja, minijinja, jinja or nunjucks' },
      { name: 'template', kind: 'value', required: true, value: 'F', about: 'the template; what it includes is looked for beside it' },
      { name: 'data', kind: 'value', required: true, value: 'F', about: 'a JSON object' },
      { name: 'strict', kind: 'boolean', about: 'fail where something undefined is used' },
    ],
    alsoHelp: [['', 'minijinja goes by MINIJINJA_CONFIG_FILE or the nearest .minijinja.toml']],
    load: () => import('./template-eval.ts'),
  },
];
