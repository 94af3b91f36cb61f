import { suggestionFor, TkError } from '../base/index.ts';
import { cliFailure } from './failures.ts';

/** Flags that every command understands. They may stand anywhere before `--`. */
export interface GlobalFlags {
  readonly directory?: string;
  /** The talconfig, where it lies in no usual place. */
  readonly talconfig?: string;
  readonly sim: boolean;
  readonly plan: boolean;
  readonly offline: boolean;
  readonly dryRun: boolean;
  /** The result on stdout as one JSON document. */
  readonly json: boolean;
  /** How the run is shown on stderr. `auto`: listr2 on a terminal, plain elsewhere. */
  readonly output: 'auto' | 'plain' | 'json' | 'github';
  readonly yes: boolean;
  /** Runs tasks whose files are as they left them too. */
  readonly fresh: boolean;
  /** A file of answers to questions. */
  readonly answers?: string;
  /** A folder for a redacted recording of what the run says and hears. */
  readonly record?: string;
  readonly help: boolean;
  readonly list: boolean;
  readonly version: boolean;
}

/** What a command or a task accepts, as far as splitting words needs to know. Names are kebab-case. */
export interface ArgumentShape {
  readonly name: string;
  readonly kind: 'value' | 'boolean' | 'list';
  /** Place among the words without a name, from 0. */
  readonly position?: number;
  readonly required?: boolean;
}

export interface Split {
  readonly flags: GlobalFlags;
  /** Everything else, in order, for `parseArguments` once the command is known. */
  readonly words: readonly string[];
}

const booleanFlags = {
  '--sim': 'sim',
  '--plan': 'plan',
  '--offline': 'offline',
  '--dry-run': 'dryRun',
  '--json': 'json',
  '--yes': 'yes',
  '-y': 'yes',
  '--fresh': 'fresh',
  '--help': 'help',
  '-h': 'help',
  '--list': 'list',
  '-l': 'list',
  '--version': 'version',
} as const;
const valueFlags = {
  '-C': 'directory',
  '--directory': 'directory',
  '--talconfig': 'talconfig',
  '--output': 'output',
  '--answers': 'answers',
  '--record': 'record',
} as const;
const outputs = ['auto', 'plain', 'json', 'github'] as const;

/** Takes the global flags out. Failure: `usage/*`. */
export function splitGlobalFlags(argv: readonly string[]): Split {
  const found: { -readonly [K in keyof GlobalFlags]: GlobalFlags[K] } = {
    sim: false,
    plan: false,
    offline: false,
    dryRun: false,
    json: false,
    output: 'auto',
    yes: false,
    fresh: false,
    help: false,
    list: false,
    version: false,
  };
  const words: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (word === '--') {
      words.push(...argv.slice(index));
      break;
    }
    if (Object.hasOwn(booleanFlags, word)) {
      found[booleanFlags[word as keyof typeof booleanFlags]] = true;
      continue;
    }
    const [name, attached] = splitAttached(word);
    if (!Object.hasOwn(valueFlags, name)) {
      words.push(word);
      continue;
    }
    const value = attached ?? argv[(index += 1)];
    if (value === undefined) throw new TkError(cliFailure('usage/missing-value', { flag: name }));
    const flag = valueFlags[name as keyof typeof valueFlags];
    if (flag === 'output') found.output = outputOf(value);
    else found[flag] = value;
  }
  if (found.offline && !found.plan)
    throw new TkError(cliFailure('usage/flags-exclude', { one: '--offline', other: 'a run without --plan' }));
  return { flags: found, words };
}

function outputOf(value: string): GlobalFlags['output'] {
  const output = outputs.find((known) => known === value);
  if (!output) throw new TkError(cliFailure('usage/bad-value', { flag: '--output', value, expected: outputs.join(', ') }));
  return output;
}

function splitAttached(word: string): [string, string | undefined] {
  const equals = word.startsWith('-') ? word.indexOf('=') : -1;
  return equals === -1 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
}

/**
 * Finds the command that the leading words name: `talos:upgrade-node`, `talos upgrade-node`. The longest match wins, so that
 * `machineconfig gen` is not taken for a command `machineconfig` with an argument.
 */
export function findCommand(
  words: readonly string[],
  names: ReadonlySet<string>,
): { readonly name: string; readonly rest: readonly string[] } {
  const leading: string[] = [];
  for (const word of words) {
    if (word.startsWith('-') || word.includes('=')) break;
    leading.push(word);
  }
  for (let length = Math.min(leading.length, 4); length > 0; length -= 1) {
    const name = leading.slice(0, length).join(':');
    if (names.has(name)) return { name, rest: words.slice(length) };
  }
  const candidates = [...names];
  const word = leading[0] ?? words[0] ?? '';
  const suggestion =
    suggestionFor(leading.join(':'), candidates) ?? suggestionFor(word, candidates) ?? candidates.find((name) => name.endsWith(`:${word}`));
  throw new TkError(cliFailure('usage/unknown-command', { word: leading.join(' ') || word, ...(suggestion ? { suggestion } : {}) }));
}

export type ArgumentValues = ReadonlyMap<string, readonly string[]>;

/**
 * Reads `KEY=value`, `--key value`, `--key=value`, `--flag`, `--no-flag` and positional words by the command's shape.
 * Every value is kept as text, in order of appearance; booleans become `true` or `false`.
 */
export function parseArguments(command: string, words: readonly string[], shape: readonly ArgumentShape[]): ArgumentValues {
  const byName = new Map(shape.map((argument) => [argument.name, argument]));
  const positional = shape.filter((argument) => argument.position !== undefined).sort((a, b) => (a.position ?? 0) - (b.position ?? 0));
  const values = new Map<string, string[]>();
  const put = (argument: ArgumentShape, value: string) => {
    const known = values.get(argument.name);
    if (known && argument.kind === 'list') known.push(value);
    else values.set(argument.name, [value]);
  };
  const named = (key: string, shown: string): ArgumentShape => {
    const argument = byName.get(key);
    if (argument) return argument;
    const suggestion = suggestionFor(key, byName.keys());
    throw new TkError(
      cliFailure('usage/unknown-flag', {
        flag: shown,
        command,
        ...(suggestion ? { suggestion: shown.startsWith('--') ? `--${suggestion}` : suggestion.toUpperCase() } : {}),
      }),
    );
  };
  const put0 = (word: string) => {
    const next = positional.find((argument) => argument.kind === 'list' || !values.has(argument.name));
    if (!next) throw new TkError(cliFailure('usage/unexpected-argument', { command, argument: word }));
    put(next, word);
  };
  let onlyPositional = false;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (onlyPositional || word === '-' || !(word.startsWith('-') || /^[A-Za-z][A-Za-z0-9_-]*=/.test(word))) {
      put0(word);
      continue;
    }
    if (word === '--') {
      onlyPositional = true;
      continue;
    }
    if (!word.startsWith('-')) {
      const equals = word.indexOf('=');
      const key = word.slice(0, equals).toLowerCase().replaceAll('_', '-');
      put(named(key, word.slice(0, equals)), word.slice(equals + 1));
      continue;
    }
    const [flag, attached] = splitAttached(word);
    const key = flag.replace(/^--?/, '').toLowerCase();
    const negated = key.startsWith('no-') ? byName.get(key.slice(3)) : undefined;
    if (!byName.has(key) && negated?.kind === 'boolean') {
      put(negated, 'false');
      continue;
    }
    const argument = named(key, flag);
    if (argument.kind === 'boolean') {
      put(argument, attached ?? 'true');
      continue;
    }
    const value = attached ?? words[(index += 1)];
    if (value === undefined) throw new TkError(cliFailure('usage/missing-value', { flag }));
    put(argument, value);
  }
  for (const argument of shape) {
    if (argument.required && !values.has(argument.name)) {
      throw new TkError(
        cliFailure('usage/missing-argument', {
          command,
          argument: argument.position === undefined ? `--${argument.name}` : argument.name.toUpperCase(),
        }),
      );
    }
  }
  return values;
}

/** Words as they can be typed into a shell again. */
export const shellLine = (words: readonly string[]): string =>
  words.map((word) => (/^[\w%+,./:=@^-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');
