import { resolveScalar } from './scalar.ts';
import { isTreeMap, TreeComment, type TreeList, type TreeMap, type TreeScalar, TreeTime, type TreeValue } from './yaml-tree.ts';

/**
 * Writes documents as Go's yaml.v3 encoder does, which is how SOPS and Talos write theirs.
 *
 * Source: go.yaml.in/yaml/v3 emitterc.go (indentation, analysis of scalars, block hints) and encode.go (`stringv`, `floatv`).
 */
export function emitYamlTree(documents: readonly TreeMap[], indent: number): string {
  const emitter = new Emitter(indent);
  return documents.map((document) => emitter.document(document)).join('---\n');
}

type Parent = 'map' | 'list';

class Emitter {
  readonly #step: number;

  constructor(indent: number) {
    this.#step = indent < 2 || indent > 9 ? 2 : indent;
  }

  document(map: TreeMap): string {
    if (!map.entries.some((entry) => !(entry instanceof TreeComment))) {
      return `${map.entries.map((entry) => (entry instanceof TreeComment ? `#${entry.text}\n` : '')).join('')}{}\n`;
    }
    return this.#map(map, 0).join('\n').concat('\n');
  }

  /** Inside a list one level is the width of `- `; elsewhere columns are multiples of the indentation. */
  #deeper(column: number, parent: Parent): number {
    return parent === 'list' ? column + 2 : this.#step * Math.floor((column + this.#step) / this.#step);
  }

  #map(map: TreeMap, column: number): string[] {
    const pad = ' '.repeat(column);
    const lines: string[] = [];
    let inline: string[] = [];
    for (const entry of map.entries) {
      if (entry instanceof TreeComment) {
        if (entry.isInline) inline.push(entry.text);
        else lines.push(`${pad}#${entry.text}`);
        continue;
      }
      lines.push(...this.#entry(`${pad}${this.#key(entry.key)}:`, entry.value, column, 'map', inline));
      inline = [];
    }
    lines.push(...inline.map((text) => `${pad}#${text}`));
    return lines;
  }

  #list(list: TreeList, column: number): string[] {
    const pad = ' '.repeat(column);
    const lines: string[] = [];
    let inline: string[] = [];
    for (const item of list) {
      if (item instanceof TreeComment) {
        if (item.isInline) inline.push(item.text);
        else lines.push(`${pad}#${item.text}`);
        continue;
      }
      lines.push(...this.#entry(`${pad}-`, item, column, 'list', inline));
      inline = [];
    }
    lines.push(...inline.map((text) => `${pad}#${text}`));
    return lines;
  }

  #entry(head: string, value: TreeValue, column: number, parent: Parent, inline: readonly string[]): string[] {
    const comment = inline.length > 0 ? ` #${inline.join(`\n${' '.repeat(column)}#`)}` : '';
    const next = this.#deeper(column, parent);
    if (isTreeMap(value)) {
      if (!value.entries.some((entry) => !(entry instanceof TreeComment)))
        return [...this.#onlyComments(value.entries as TreeComment[], column), `${head} {}${comment}`];
      return this.#nested(head + (comment === '' ? '' : comment), this.#map(value, next), next, parent);
    }
    if (Array.isArray(value)) {
      if (!value.some((item) => !(item instanceof TreeComment)))
        return [...this.#onlyComments(value as TreeComment[], column), `${head} []${comment}`];
      return this.#nested(head + (comment === '' ? '' : comment), this.#list(value, next), next, parent);
    }
    return scalarLines(head, value, next, this.#step, comment);
  }

  #onlyComments(comments: readonly TreeComment[], column: number): string[] {
    return comments.map(({ text }) => `${' '.repeat(column)}#${text}`);
  }

  /** In a list the first line of what is nested goes behind the dash. */
  #nested(head: string, lines: readonly string[], column: number, parent: Parent): string[] {
    if (parent === 'map') return [head, ...lines];
    const first = lines.findIndex((line) => !line.trimStart().startsWith('#'));
    const comments = lines.slice(0, Math.max(0, first)).map((line) => `${head.slice(0, head.length - 1)}${line.trimStart()}`);
    const [start = '', ...rest] = lines.slice(Math.max(0, first));
    return [...comments, `${head} ${start.slice(column)}`, ...rest];
  }

  #key(key: string): string {
    return styled(key, true).text;
  }
}

function scalarLines(head: string, value: TreeScalar, column: number, step: number, comment: string): string[] {
  if (typeof value !== 'string') return [`${head} ${plainText(value)}${comment}`];
  const { style, text } = styled(value, false);
  if (style !== 'literal') return [`${head} ${text}${comment}`];
  const pad = ' '.repeat(column);
  const body = value.endsWith('\n') ? value.slice(0, -1) : value;
  return [`${head} |${blockHints(value, step)}${comment}`, ...body.split('\n').map((line) => (line === '' ? '' : pad + line))];
}

function plainText(value: Exclude<TreeScalar, string>): string {
  if (value === null) return 'null';
  if (value instanceof TreeTime) return value.text;
  return typeof value === 'number' ? goFloat(value) : String(value);
}

/** `strconv.FormatFloat(value, 'g', -1, 64)`, and YAML's words for what is no number. */
export function goFloat(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) {
    const digits = Math.max(0, mantissa.replace(/[-.]/g, '').length - 1 - power);
    return value.toFixed(Math.min(100, digits));
  }
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

function blockHints(value: string, step: number): string {
  const indentation = /^[ \n]/.test(value) ? String(step) : '';
  if (!value.endsWith('\n')) return `${indentation}-`;
  return /^\n$|\n\n$/.test(value) ? `${indentation}+` : indentation;
}

const oldBooleans = new Set(['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON', 'n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF']);
const sexagesimal = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

type Style = 'plain' | 'single' | 'double' | 'literal';

function styled(text: string, isKey: boolean): { style: Style; text: string } {
  const found = analyse(text);
  let style: Style;
  if (text.includes('\n')) style = isKey || !found.blockAllowed ? 'double' : 'literal';
  else if (resolveScalar(text, 'go').kind !== 'string' || text === '<<' || oldBooleans.has(text) || sexagesimal.test(text))
    style = 'double';
  else if (found.plainAllowed) style = 'plain';
  else style = found.singleAllowed ? 'single' : 'double';
  if (style === 'single') return { style, text: `'${text.replaceAll("'", "''")}'` };
  return { style, text: style === 'double' ? doubleQuoted(text) : text };
}

const lineBreak = /[\r\n\u0085\u2028\u2029]/;

/** What a scalar's characters allow. */
export function analyse(text: string): {
  readonly plainAllowed: boolean;
  /** The same inside of brackets. */
  readonly flowPlainAllowed: boolean;
  readonly singleAllowed: boolean;
  readonly blockAllowed: boolean;
} {
  let indicators = text.startsWith('---') || text.startsWith('...');
  let breaks = false;
  let special = false;
  let tabs = false;
  let spaceBreak = false;
  let breakSpace = false;
  const characters = Array.from(text);
  characters.forEach((character, index) => {
    const following = characters[index + 1];
    const isFollowedByBlank = following === undefined || following === ' ' || following === '\t' || lineBreak.test(following);
    const previous = characters[index - 1];
    const isPrecededByBlank = previous === undefined || previous === ' ' || previous === '\t' || lineBreak.test(previous);
    if (index === 0) {
      if ('#,[]{}&*!|>\'"%@`'.includes(character)) indicators = true;
      else if ('?:-'.includes(character) && isFollowedByBlank) indicators = true;
    } else if (character === ':' && isFollowedByBlank) indicators = true;
    else if (character === '#' && isPrecededByBlank) indicators = true;
    if (character === '\t') tabs = true;
    else if (!isPrintable(character.codePointAt(0) ?? 0)) special = true;
    if (character === ' ') {
      if (previous !== undefined && lineBreak.test(previous)) breakSpace = true;
      if (following !== undefined && lineBreak.test(following)) spaceBreak = true;
    } else if (lineBreak.test(character)) breaks = true;
  });
  const edges = /^[ \r\n\u0085\u2028\u2029]|[ \r\n\u0085\u2028\u2029]$/.test(text);
  const endsWithSpace = text.endsWith(' ');
  const harmful = spaceBreak || tabs || special;
  const plainAllowed = !indicators && !breaks && !edges && !breakSpace && !harmful;
  return {
    plainAllowed,
    flowPlainAllowed: plainAllowed && !/^[?:]|(?!^)[,?[\]{}:]/.test(text),
    singleAllowed: !breakSpace && !harmful,
    blockAllowed: !endsWithSpace && !spaceBreak && !special,
  };
}

function isPrintable(code: number): boolean {
  return (
    code === 0x0a ||
    (code >= 0x20 && code <= 0x7e) ||
    (code >= 0xa0 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd && code !== 0xfeff) ||
    (code >= 0x10000 && code <= 0x10ffff)
  );
}

const escapes: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\u0007': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\u001B': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u00A0': '\\_',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

export function doubleQuoted(text: string): string {
  let body = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (isPrintable(code) && !'\n"\\\u2028\u2029'.includes(character)) body += character;
    else if (Object.hasOwn(escapes, character)) body += escapes[character];
    else if (code <= 0xff) body += `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`;
    else if (code <= 0xffff) body += `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
    else body += `\\U${code.toString(16).toUpperCase().padStart(8, '0')}`;
  }
  return `"${body}"`;
}
