import { TkError } from '../../base/index.ts';
import { isTreeMap, TreeComment, type TreeMap } from '../../format/index.ts';
import { secretsFailure } from '../failures.ts';
import { flatText } from './flat-text.ts';

type Section = { key: string; value: TreeMap };

/** Sections with their keys; the number of the first line that is neither, when there is one. Comments follow the key they stood over, as sops keeps them. */
export function parseIni(source: string): TreeMap | number {
  const sections: Section[] = [{ key: 'DEFAULT', value: { entries: [] } }];
  let comments: string[] = [];
  const lines = source.split(/\r?\n/);
  for (let index = 0; index < lines.length; index += 1) {
    const line = (lines[index] ?? '').trim();
    if (line === '') continue;
    if (line.startsWith('#') || line.startsWith(';')) {
      comments.push(withoutMark(line));
      continue;
    }
    const header = /^\[(.*)\]$/.exec(line);
    if (header) {
      sections.push({ key: header[1] ?? '', value: { entries: comments.length > 0 ? [new TreeComment(comments.join('\n'), false)] : [] } });
      comments = [];
      continue;
    }
    const found = /^("""|["`]?)(.*?)\1\s*[=:]\s*(.*)$/.exec(line);
    if (!found) return index + 1;
    const entries = sections.at(-1)?.value.entries;
    const { value, comment } = valueOf(found[3] ?? '');
    if (comment !== '') comments.push(withoutMark(comment));
    entries?.push({ key: found[2]?.trim() ?? '', value });
    if (comments.length > 0) entries?.push(new TreeComment(comments.join('\n'), false));
    comments = [];
  }
  return { entries: sections };
}

const withoutMark = (comment: string): string => comment.replace(/^(?:;[; ]*|#[# ]*)/, '');

/** Outside of quotes a comment begins at the first mark, space before it or not. */
function valueOf(text: string): { value: string; comment: string } {
  const quoted = /^("""|`|"|')([^]*)\1$/.exec(text);
  if (quoted && text.length > 1) return { value: quoted[2] ?? '', comment: '' };
  const at = text.search(/[#;]/);
  return at < 0 ? { value: text, comment: '' } : { value: text.slice(0, at).trim(), comment: text.slice(at) };
}

/** Keys of a section are padded to one column, as sops' library does. */
export function emitIni(map: TreeMap, file: string): string {
  const parts: string[] = [];
  for (const section of map.entries) {
    if (section instanceof TreeComment) continue;
    if (!isTreeMap(section.value)) throw new TkError(secretsFailure('secrets/bad-value', { file, at: section.key }));
    const { entries } = section.value;
    const keys = entries.flatMap((entry) => (entry instanceof TreeComment ? [] : [entry.key]));
    const isDefault = section.key === 'DEFAULT';
    if (isDefault && keys.length === 0) continue;
    const width = Math.max(0, ...keys.map((key) => quotedKey(key).length));
    const lines: string[] = [];
    entries.forEach((entry, index) => {
      if (entry instanceof TreeComment) {
        if (index === 0) lines.push(...commentLines(entry.text), `[${section.key}]`);
        return;
      }
      if (index === 0) lines.push(`[${section.key}]`);
      const comment = entries[index + 1];
      if (comment instanceof TreeComment) lines.push(...commentLines(comment.text));
      lines.push(
        `${quotedKey(entry.key).padEnd(width)} = ${quotedValue(typeof entry.value === 'string' ? entry.value : flatText(entry.value))}`,
      );
    });
    if (entries.length === 0) lines.push(`[${section.key}]`);
    parts.push(`${lines.join('\n')}\n`);
  }
  return parts.join('\n');
}

const commentLines = (text: string): string[] => text.split('\n').map((line) => `; ${line}`);

const quotedKey = (key: string): string =>
  /[=:]/.test(key) || key.includes('"') ? (key.includes('`') ? `"""${key}"""` : `\`${key}\``) : key;

function quotedValue(value: string): string {
  if (/[\n`]/.test(value)) return `"""${value}"""`;
  if (/[#;]/.test(value) || value.trim() !== value) return `\`${value}\``;
  return value;
}
