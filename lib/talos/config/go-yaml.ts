import { resolveScalar } from '../../format/index.ts';

/** A scalar that is written as it is: `0o644`. `value` is what a reader makes of it. */
export class PlainScalar {
  readonly text: string;
  readonly value: number | string;

  constructor(text: string, value: number | string) {
    this.text = text;
    this.value = value;
  }
}

export interface YamlStyle {
  readonly indent: 2 | 4;
  /** Text that only YAML 1.1 readers would misread (`off`, `1:30`): Go's library used double quotes up to 4.0.0-rc.4, single ones after. */
  readonly oldWords?: 'double' | 'single';
}

/**
 * Writes data as Go's YAML library writes it: sequences indented below their key, literal blocks for texts of several lines, quotes
 * only where a reader would take the text for something else.
 *
 * Source: go.yaml.in/yaml/v4 encode.go `stringv`, emitter `analyzeScalar`
 */
export function renderGoYaml(value: unknown, style: YamlStyle = { indent: 4 }): string {
  const lines: string[] = [];
  writeNode(value, 0, 0, '', lines, style);
  return `${lines.join('\n')}\n`;
}

/** One key and its value as `renderGoYaml` writes them inside of a mapping that begins at that column. */
export function renderGoEntry(key: string, value: unknown, column: number, style: YamlStyle): string {
  const lines: string[] = [];
  writeMapping({ [key]: value }, column, '', lines, style);
  return `${lines.join('\n')}\n`;
}

/** `prefix` stands on the first line already: a key with its colon, or a dash. */
function writeNode(value: unknown, depth: number, literalDepth: number, prefix: string, lines: string[], style: YamlStyle): void {
  if (Array.isArray(value)) {
    if (value.length === 0) lines.push(joined(prefix, '[]'));
    else writeSequence(value, depth, prefix, lines, style);
  } else if (isCollection(value)) {
    if (writeMapping(value as Readonly<Record<string, unknown>>, depth, prefix, lines, style) === 0) lines.push(joined(prefix, '{}'));
  } else if (typeof value === 'string' && value.includes('\n') && canBeBlock(value)) {
    writeLiteral(value, literalDepth, prefix, lines);
  } else {
    lines.push(joined(prefix, renderScalar(value, style)));
  }
}

const joined = (prefix: string, text: string) => (prefix === '' || prefix.endsWith(' ') ? prefix + text : `${prefix} ${text}`);

const pads: string[] = [];
const pad = (depth: number): string => (pads[depth] ??= ' '.repeat(depth));
/** Below a dash the library goes on to the next multiple of its indent. */
const nextIndent = (depth: number, style: YamlStyle) => style.indent * Math.floor((depth + style.indent) / style.indent);

/** How many entries were written. */
function writeMapping(map: Readonly<Record<string, unknown>>, depth: number, prefix: string, lines: string[], style: YamlStyle): number {
  // After a dash the first key stands on the dash's line.
  let first = prefix.endsWith(' ');
  let count = 0;
  for (const key of Object.keys(map)) {
    if (count === 0 && prefix !== '' && !first) lines.push(prefix);
    count += 1;
    const child = map[key];
    const lead = first ? prefix : pad(depth);
    first = false;
    const inner = nextIndent(depth, style);
    writeNode(child, isCollection(child) ? inner : depth, inner, `${lead}${renderKey(key, style)}:`, lines, style);
  }
  return count;
}

function writeSequence(items: readonly unknown[], depth: number, prefix: string, lines: string[], style: YamlStyle): void {
  let first = prefix.endsWith(' ');
  if (prefix !== '' && !first) lines.push(prefix);
  for (const item of items) {
    const lead = first ? prefix : pad(depth);
    first = false;
    writeNode(item, depth + 2, depth + 2, `${lead}- `, lines, style);
  }
}

function isCollection(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !(value instanceof PlainScalar);
}

function writeLiteral(text: string, depth: number, prefix: string, lines: string[]): void {
  // The hint counts from the parent's column; the library always writes its own indent there.
  const hint = text.startsWith(' ') ? '4' : '';
  const chomp = text.endsWith('\n\n') || text === '\n' ? '+' : text.endsWith('\n') ? '' : '-';
  lines.push(joined(prefix, `|${hint}${chomp}`));
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  for (const line of body.split('\n')) lines.push(line === '' ? '' : `${pad(depth)}${line}`);
}

/** A literal block cannot hold a line that ends in a space, or anything that does not print. */
function canBeBlock(text: string): boolean {
  return !/ \n| $/.test(text) && !hasSpecial(text);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that YAML has to escape
const special = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]|[\uD800-\uDFFF]/u;

function hasSpecial(text: string): boolean {
  return special.test(text.replaceAll('\u0085', '')) || /[\u{10000}-\u{10FFFF}]/u.test(text);
}

const renderedKeys = { double: new Map<string, string>(), single: new Map<string, string>() };
const mostKeys = 4096;

/** The same few hundred names stand in every config. */
function renderKey(key: string, style: YamlStyle): string {
  const known = renderedKeys[style.oldWords ?? 'double'];
  let text = known.get(key);
  if (text === undefined) {
    text = renderScalar(key, style);
    if (known.size < mostKeys) known.set(key, text);
  }
  return text;
}

/** Text that nothing in it can be taken for anything else, unless it is a word of YAML. */
const simple = /^[A-Za-z][A-Za-z0-9_./-]*$/;
const yamlWord = /^(?:[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|null|Null|NULL|true|True|TRUE|false|False|FALSE)$/;
const oldBoolean = /^(?:[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$/;
const base60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

export function renderScalar(value: unknown, style: YamlStyle = { indent: 4 }): string {
  if (value instanceof PlainScalar) return value.text;
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'number') return renderNumber(value);
  if (typeof value !== 'string') return String(value);
  if (simple.test(value) && !yamlWord.test(value)) return value;
  const misread = oldBoolean.test(value) || base60.test(value) || value === '<<';
  const resolves = value !== '' && resolveScalar(value, 'go').kind !== 'string';
  if (!misread && value !== '' && !resolves && isPlainSafe(value)) return value;
  if (value === '' || resolves) return doubleQuoted(value);
  if (misread) return (style.oldWords ?? 'double') === 'double' ? doubleQuoted(value) : singleQuoted(value);
  // A break after or before a space, a tab, or what does not print needs escapes.
  if (value.includes('\n') || value.includes('\t') || hasSpecial(value)) return doubleQuoted(value);
  return singleQuoted(value);
}

function renderNumber(value: number): string {
  if (Number.isInteger(value)) return String(value);
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  return String(value).replace(/e([+-]?)(\d)$/, (_, sign: string, digit: string) => `e${sign || '+'}0${digit}`);
}

function isPlainSafe(text: string): boolean {
  if (/^[ ]|[ ]$|[\n\t]/.test(text) || hasSpecial(text)) return false;
  if (/^(?:---|\.\.\.)/.test(text)) return false;
  if (/^[#,[\]{}&*!|>'"%@`]/.test(text)) return false;
  if (/^[?:-](?: |$)/.test(text)) return false;
  return !/: |:$| #/.test(text);
}

function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
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
  '\u001b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u00a0': '\\_',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function doubleQuoted(text: string): string {
  let quoted = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const printable =
      (code >= 0x20 && code <= 0x7e) || (code >= 0xa1 && code <= 0xd7ff) || (code >= 0xe000 && code <= 0xfffd && code !== 0xfeff);
    const known = escapes[character];
    if (known !== undefined) quoted += known;
    else if (printable) quoted += character;
    else
      quoted +=
        code <= 0xff
          ? `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`
          : code <= 0xffff
            ? `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`
            : `\\U${code.toString(16).toUpperCase().padStart(8, '0')}`;
  }
  return `"${quoted}"`;
}
