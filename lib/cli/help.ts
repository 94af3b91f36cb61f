import { oneOf } from '../base/index.ts';
import type { ArgumentShape } from './argv.ts';
import type { ManifestEntry } from './tasks/manifest.ts';

/** A command that is not a task: it works on files or on the sandbox and needs no graph. */
export interface CommandHelp {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  readonly arguments: readonly CommandArgument[];
  /** Further lines of its help: global flags that mean something of their own here, examples. */
  readonly alsoHelp?: readonly (readonly [string, string])[];
}

export interface CommandArgument extends ArgumentShape {
  /** What stands for the value in its help: `F`, `DIR`. */
  readonly value?: string;
  readonly about?: string;
}

const effects = { read: 'changes nothing', write: 'writes files', mutate: 'changes machines', destroy: 'destroys' } as const;

export const globalOptions: readonly (readonly [string, string])[] = [
  ['--sim', 'on the simulated cluster of this repository; touches nothing real'],
  ['--plan', 'print every step and mutating call, and stop (--json, --offline)'],
  ['--dry-run', 'also ask the machines what they would do; changes nothing'],
  ['--yes, -y', 'answer confirmations with yes; never fills in a value or a name to be typed'],
  ['--fresh', 'run tasks too whose inputs and outputs are as they left them'],
  ['--answers F', 'answers to questions, `name: answer` a line; TK_ANSWER_NAME in the environment goes before it'],
  ['--record DIR', 'keep a recording of what the run says to machines and clusters, without its keys'],
  ['--output FORM', 'progress on stderr: auto, plain, json, github'],
  ['--json', 'the result on stdout as one JSON document'],
  ['-C DIR', 'the repository, when it is not the current directory'],
  ['--talconfig F', 'the talconfig, when it lies in no usual place'],
];

export function usageText(entries: readonly ManifestEntry[], commands: readonly CommandHelp[]): string {
  const rows = [
    ...entries.filter((entry) => !entry.hidden).map((entry) => [entry.name, entry.summary] as const),
    ...commands.map((command) => [shownName(command), command.summary] as const),
  ].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    'tk TASK [KEY=value]…',
    '',
    ...table(rows),
    '',
    'Everywhere',
    ...table(globalOptions),
    '',
    'More about one: tk TASK --help',
    '',
  ].join('\n');
}

/** With colons or with spaces, as its usage has it: `sops encrypt`, `sim:up`. */
const shownName = ({ name, usage }: CommandHelp): string => (usage.startsWith(name) ? name : name.replaceAll(':', ' '));

export function listText(entries: readonly ManifestEntry[]): string {
  return `${table(entries.filter((entry) => !entry.hidden).map((entry) => [entry.name, entry.summary] as const)).join('\n')}\n`;
}

export function taskHelp(entry: ManifestEntry): string {
  const params = entry.params.map((param) => {
    const facts = [
      param.description,
      param.choices && param.choices.length > 0
        ? `${param.kind === 'list' ? 'any' : 'one'} of ${oneOf(param.choices).replaceAll('`', '')}`
        : undefined,
      param.default === undefined || param.default === '' ? undefined : `default: ${param.default}`,
      param.required ? 'required' : undefined,
    ].filter((fact) => fact !== undefined);
    return [`--${param.name}`, facts.join('; ')] as const;
  });
  const needed = entry.params.filter((param) => param.required || param.name === 'ip').map((param) => `${param.name.toUpperCase()}=…`);
  const examples = entry.examples ?? [[entry.name, ...needed].join(' ')];
  return [
    `${entry.summary}   (${effects[entry.effect]})`,
    ...(entry.description === undefined ? [] : ['', entry.description]),
    '',
    ...examples.map((example) => `  tk ${example}`),
    ...(params.length === 0 ? [] : ['', ...table(params)]),
    '',
    'Everywhere',
    ...table(globalOptions),
    '',
  ].join('\n');
}

export function commandHelp(command: CommandHelp): string {
  const rows = [
    ...command.arguments.flatMap(({ name, position, value, about }) =>
      about === undefined
        ? []
        : [[position === undefined ? `--${name}${value === undefined ? '' : ` ${value}`}` : name.toUpperCase(), about] as const],
    ),
    ...(command.alsoHelp ?? []),
  ];
  return [command.summary, '', `  tk ${command.usage}`, ...(rows.length === 0 ? [] : ['', ...table(rows)]), ''].join('\n');
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd());
}
