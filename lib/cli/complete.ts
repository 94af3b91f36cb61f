import { join } from 'node:path';
import type { Files } from '../base/index.ts';
import { findRepository } from '../config/find.ts';
import { findCommand } from './argv.ts';
import type { Command } from './commands/command.ts';
import { globalOptions } from './help.ts';
import type { ManifestEntry } from './tasks/manifest.ts';

/** One candidate, and what the shell shows beside it. */
export interface Candidate {
  readonly value: string;
  readonly about?: string;
}

export interface Completion {
  readonly candidates: readonly Candidate[];
  /** Whether the word goes on after the candidate: `NODE=`. */
  readonly isOpen: boolean;
  /** Whether files of the folder are candidates, too. */
  readonly takesFiles: boolean;
}

export interface CompletionSources {
  readonly tasks: readonly ManifestEntry[];
  readonly commands: readonly Command[];
  /** Names and addresses of the inventory's nodes; read only when a word asks for them. */
  readonly nodes: () => Promise<readonly Candidate[]>;
}

const nodeWords = new Set(['node', 'nodes', 'hostname', 'ip']);
const none: Completion = { candidates: [], isOpen: false, takesFiles: true };

/** What the last word, which may be empty, can become. Loads no task and none of the libraries that read the repository. */
export async function completionOf(words: readonly string[], { tasks, commands, nodes }: CompletionSources): Promise<Completion> {
  const last = words.at(-1) ?? '';
  const before = words.slice(0, -1).filter((word) => !word.startsWith('-'));
  const names = new Set([...tasks.map(({ name }) => name), ...commands.map(({ name }) => name)]);
  const named = before.length === 0 ? undefined : namedBy(before, names);
  const task = tasks.find(({ name }) => name === named);
  const command = commands.find(({ name }) => name === named);
  if (last.startsWith('-')) return closed([...flagsOf(task, command), ...globalFlags].filter(({ value }) => value.startsWith(last)));
  const [key, typed] = splitKey(last);
  if (typed !== undefined) return valuesOf(key, typed, task, nodes);
  if (named === undefined) return firstWords(words, tasks, commands);
  const keys = (task?.params ?? []).map(({ name, description }) => ({
    value: `${name.toUpperCase()}=`,
    ...(description === undefined ? {} : { about: description }),
  }));
  const fitting = keys.filter(({ value }) => value.startsWith(last.toUpperCase()));
  return { candidates: fitting, isOpen: true, takesFiles: command !== undefined };
}

/** As the shells' scripts read it: a candidate a line, then what to do with them. Source: cobra's ShellCompDirective */
export function renderCompletion({ candidates, isOpen, takesFiles }: Completion): string {
  const lines = candidates.map(({ value, about }) => (about === undefined ? value : `${value}\t${about}`));
  return `${[...lines, `:${(isOpen ? 2 : 0) + (takesFiles ? 0 : 4)}`].join('\n')}\n`;
}

/**
 * Nodes as they stand in the inventory's lines. A list of candidates need not be right in every corner of YAML, and reading it
 * properly would take longer than a person waits for a tab.
 */
export async function nodesInFiles(files: Files, directory: string, exactly: boolean): Promise<readonly Candidate[]> {
  try {
    const { root, source } = await findRepository(files, directory, { exactly });
    const path = source.kind === 'talconfig.yaml' ? source.path : 'nodes.yaml';
    const text = (await files.readText(join(root, path))) ?? '';
    const valueOf = (line: string, keys: string) =>
      new RegExp(`^\\s*(?:-\\s*)?["']?(?:${keys})["']?\\s*:\\s*["']?([^"'\\s#,}]+)`).exec(line)?.[1];
    const found: { name: string; address?: string }[] = [];
    for (const line of text.split(/\r?\n/)) {
      const name = valueOf(line, source.kind === 'talconfig.yaml' ? 'hostname' : 'name');
      const address = valueOf(line, 'address|ipAddress');
      const current = found.at(-1);
      if (name !== undefined) found.push({ name });
      else if (address !== undefined && current !== undefined) current.address ??= address;
    }
    return found.map(({ name, address }) => ({ value: name, ...(address === undefined ? {} : { about: address }) }));
  } catch {
    return [];
  }
}

function namedBy(words: readonly string[], names: ReadonlySet<string>): string | undefined {
  try {
    return findCommand(words, names).name;
  } catch {
    return undefined;
  }
}

function firstWords(words: readonly string[], tasks: readonly ManifestEntry[], commands: readonly Command[]): Completion {
  // `talos upgrade` and `talos:upgrade` are one: what was typed with spaces goes on with spaces.
  const typed = words.filter((word) => !word.startsWith('-'));
  const prefix = typed.slice(0, -1).join(':');
  const last = typed.at(-1) ?? '';
  const all = [
    ...tasks.filter(({ hidden }) => !hidden).map(({ name, summary }) => ({ value: name, about: summary })),
    ...commands.map(({ name, summary }) => ({ value: name, about: summary })),
    { value: 'resume', about: 'Start the last run again' },
  ].sort((a, b) => (a.value < b.value ? -1 : 1));
  const rest =
    prefix === ''
      ? all
      : all.flatMap(({ value, about }) => (value.startsWith(`${prefix}:`) ? [{ value: value.slice(prefix.length + 1), about }] : []));
  return closed(rest.filter(({ value }) => value.startsWith(last)));
}

async function valuesOf(
  key: string,
  typed: string,
  task: ManifestEntry | undefined,
  nodes: CompletionSources['nodes'],
): Promise<Completion> {
  const squeezed = key.toLowerCase().replaceAll('_', '-');
  const param = task?.params.find(({ name, aliases }) => name === squeezed || aliases.includes(squeezed));
  if (param === undefined) return none;
  const known = await nodes();
  const values =
    squeezed === 'ip'
      ? known.flatMap(({ value, about }) => (about === undefined ? [] : [{ value: about, about: value }]))
      : nodeWords.has(squeezed)
        ? known
        : param.kind === 'boolean'
          ? [{ value: 'true' }, { value: 'false' }]
          : (param.choices ?? []).map((value) => ({ value }));
  if (values.length === 0) return none;
  return closed(
    values.filter(({ value }) => value.startsWith(typed)).map((candidate) => ({ ...candidate, value: `${key}=${candidate.value}` })),
  );
}

function splitKey(word: string): readonly [string, string | undefined] {
  const match = /^([A-Za-z][A-Za-z0-9_-]*)=(.*)$/s.exec(word);
  return match ? [match[1] ?? '', match[2] ?? ''] : ['', undefined];
}

const closed = (candidates: readonly Candidate[]): Completion => ({ candidates, isOpen: false, takesFiles: false });

function flagsOf(task: ManifestEntry | undefined, command: Command | undefined): readonly Candidate[] {
  return [
    ...(task?.params ?? []).map(({ name, description }) => ({
      value: `--${name}`,
      ...(description === undefined ? {} : { about: description }),
    })),
    ...(command?.arguments ?? [])
      .filter(({ position }) => position === undefined)
      .map(({ name, about }) => ({
        value: `--${name}`,
        ...(about === undefined ? {} : { about }),
      })),
  ];
}

const globalFlags: readonly Candidate[] = [
  ...globalOptions.map(([flag, about]) => ({ value: flag.split(/[ ,]/)[0] ?? flag, about })),
  { value: '--help', about: 'what it does, and what it takes' },
  { value: '--list', about: 'every task' },
];
