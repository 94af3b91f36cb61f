import { type Failure, lineStarts, placeOf, type SourceFile } from '../base/index.ts';
import { talconfigFailure } from './talconfig-failures.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Substituted {
  /** The text that is read. Comments are blank; every line stands where it stood, unless a value has line breaks. */
  readonly text: string;
  /** For each line of the text, the line of the file it came from (both from 0), and whether it is as it was written. */
  readonly lines: readonly { readonly line: number; readonly asWritten: boolean }[];
  readonly failures: readonly Failure[];
}

/**
 * Fills in `$NAME`, `${NAME}` and `${NAME:-default}` as talhelper's engine does. Variables in comments are left alone, `$$` is a dollar
 * sign. Unset and empty variables are failures.
 *
 * Operators that the engine reads over (`${X^^}`, `${X:1:3}`) are failures here: they give the whole value there.
 * Source: a8m/envsubst v1.4.3 with NoUnset and NoEmpty
 */
export function substituteYaml(file: SourceFile, environment: Environment): Substituted {
  const uncommented = blankComments(file.text);
  const failures: Failure[] = [];
  let text = '';
  const lines: { line: number; asWritten: boolean }[] = [];
  const source = uncommented.split('\n');
  if (!uncommented.includes('$')) return { text: uncommented, lines: source.map((_, line) => ({ line, asWritten: true })), failures };
  const starts = lineStarts(file);
  source.forEach((line, number) => {
    // A line without its comment is shorter than the one in the file.
    const offset = starts[number] ?? file.text.length;
    const { text: filled, failures: found } = substituteText(line, environment, file, offset);
    failures.push(...found);
    text += number === source.length - 1 ? filled : `${filled}\n`;
    for (const _ of filled.split('\n')) lines.push({ line: number, asWritten: filled === line });
  });
  return { text, lines, failures };
}

/** A variable that is used all over a talconfig is missing once. */
export function oncePerVariable(failures: readonly Failure[]): readonly Failure[] {
  const nameOf = ({ code, facts }: Failure) => (code === 'talconfig/variable-not-set' ? String(facts['name']) : undefined);
  const uses = Map.groupBy(failures, nameOf);
  const [told, result]: [Set<string>, Failure[]] = [new Set(), []];
  for (const failure of failures) {
    const name = nameOf(failure);
    if (name !== undefined && told.has(name)) continue;
    if (name !== undefined) told.add(name);
    const count = name === undefined ? 1 : (uses.get(name)?.length ?? 1);
    result.push(name === undefined || count === 1 ? failure : { ...failure, facts: { ...failure.facts, uses: count } });
  }
  return result;
}

/** The same for a text that is not read as YAML with positions. */
export function substituteText(
  text: string,
  environment: Environment,
  file: SourceFile,
  base = 0,
): { readonly text: string; readonly failures: readonly Failure[] } {
  if (!text.includes('$')) return { text, failures: [] };
  const failures: Failure[] = [];
  let result = '';
  let index = 0;
  const at = (start: number, end: number) => {
    const place = placeOf({ file, start: base + start, end: base + end });
    return { where: place };
  };
  const valueOf = (name: string, start: number, end: number): string => {
    const value = environment[name];
    if (value === undefined) failures.push(talconfigFailure('talconfig/variable-not-set', { name }, at(start, end)));
    else if (value === '') failures.push(talconfigFailure('talconfig/variable-empty', { name }, at(start, end)));
    return value ?? '';
  };
  while (index < text.length) {
    const dollar = text.indexOf('$', index);
    if (dollar === -1) break;
    result += text.slice(index, dollar);
    const next = text[dollar + 1] ?? '';
    const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(text.slice(dollar + 1))?.[0];
    if (next === '$') {
      result += '$';
      index = dollar + 2;
    } else if (name !== undefined) {
      index = dollar + 1 + name.length;
      result += valueOf(name, dollar, index);
    } else if (next === '{') {
      const end = text.indexOf('}', dollar);
      const whole = text.slice(dollar, end === -1 ? undefined : end + 1);
      index = dollar + whole.length;
      result += expression(whole, dollar);
    } else {
      result += '$';
      index = dollar + 1;
    }
  }
  return { text: result + text.slice(index), failures };

  function expression(whole: string, start: number): string {
    const end = start + whole.length;
    const wrong = (reason: string) => {
      failures.push(talconfigFailure('talconfig/variable-syntax', { text: quoted(file, whole), reason }, at(start, end)));
      return '';
    };
    const [, name = '', operator = '', word = ''] = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(:?[-=+])?(.*)\}$/s.exec(whole) ?? [];
    if (!whole.endsWith('}')) return wrong('the closing brace is missing');
    if (name === '') return wrong('a variable has a name of letters, digits and underscores');
    if (operator === '' && word !== '')
      return wrong('this operator does not exist here; talhelper reads over it and takes the whole value');
    if (operator === '') return valueOf(name, start, end);
    const nested = substituteText(word, environment, file, base + start + whole.indexOf(word, name.length + 2));
    const value = environment[name];
    const isThere = value !== undefined && (value !== '' || !operator.startsWith(':'));
    if (operator.endsWith('+')) {
      if (!isThere) return '';
      failures.push(...nested.failures);
      return nested.text;
    }
    if (isThere) return value;
    failures.push(...nested.failures);
    if (nested.text === '') return wrong('the default is empty');
    return nested.text;
  }
}

/** Of a file that nobody may see only the beginning is told; what follows an unclosed brace is cut. */
function quoted(file: SourceFile, expression: string): string {
  const longest = 60;
  if (file.shown !== undefined && file.written === undefined) return `${/^\$\{\w*/.exec(expression)?.[0] ?? ''}…`;
  return expression.length > longest ? `${expression.slice(0, longest)}…` : expression;
}

/**
 * Comments become spaces, so that a variable in one is none. Texts in quotes and in blocks keep their number signs.
 *
 * Shape: as many lines as the input; one that had a comment ends before it.
 */
export function blankComments(text: string): string {
  if (!text.includes('#')) return text;
  const lines = text.split('\n');
  let blockIndent = -1;
  let quote = '';
  return lines
    .map((line) => {
      const indent = line.search(/\S/);
      if (blockIndent >= 0) {
        if (indent === -1 || indent > blockIndent) return line;
        blockIndent = -1;
      }
      let comment = -1;
      for (let index = 0; index < line.length; index += 1) {
        const character = line[index] ?? '';
        if (quote === '"') {
          if (character === '\\') index += 1;
          else if (character === '"') quote = '';
        } else if (quote === "'") {
          if (character === "'" && line[index + 1] === "'") index += 1;
          else if (character === "'") quote = '';
        } else if ((character === '"' || character === "'") && /(?:^|[\s[{,:])$/.test(line.slice(0, index))) quote = character;
        else if (character === '#' && (index === 0 || /\s/.test(line[index - 1] ?? ''))) {
          comment = index;
          break;
        }
      }
      const kept = comment === -1 ? line : line.slice(0, comment);
      if (quote === '' && /(?:^|[:\-?]\s|[:\-?]\s.*\s)[|>][-+0-9]*\s*$/.test(kept)) blockIndent = blockParent(kept);
      return comment === -1 ? line : kept.trimEnd();
    })
    .join('\n');
}

/** The column that a block's lines must pass: that of its key, or of the dash when the item is the block. */
function blockParent(line: string): number {
  const [lead = ''] = /^(?:\s*(?:-\s+)*)/.exec(line) ?? [];
  const rest = line.slice(lead.length);
  if (!/^[|>]/.test(rest)) return lead.length;
  return Math.max(0, lead.trimEnd().length - 1);
}
