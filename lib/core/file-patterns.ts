import type { DirectoryEntry, Files } from '../base/index.ts';

/**
 * Files below a folder, named as people name them: `scripts/**` + `/*.py`, `list.{json,csv}`, a folder for all that lies in it.
 * A pattern that begins with `!` takes files out again that earlier ones named.
 *
 * Shape: `*` and `?` stay inside one name, `**` spans any number of folders; `.git`, `node_modules` and `.tk` are never looked into.
 */
export interface FilePattern {
  readonly takesOut: boolean;
  /** The folders before the first wildcard: nothing outside of them can match. */
  readonly below: string;
  matches(path: string): boolean;
}

/** Undefined for a pattern that leaves the folder, or names nothing. */
export function parseFilePattern(text: string): FilePattern | undefined {
  const takesOut = text.startsWith('!');
  const names = (takesOut ? text.slice(1) : text).split('/').filter((name) => name !== '' && name !== '.');
  if (names.length === 0 || names.includes('..') || /^!?\//.test(text)) return undefined;
  const wild = names.findIndex((name) => /[*?[{]/.test(name));
  const whole = new RegExp(`^${names.map(sourceOf).join('')}`.replace(/\/$/, '') + '(?:/.*)?$', 's');
  return {
    takesOut,
    below: (wild === -1 ? names : names.slice(0, wild)).join('/'),
    matches: (path) => whole.test(path),
  };
}

/** One name of a pattern with the slash behind it; `**` may be no folder at all. */
const sourceOf = (name: string, index: number, all: readonly string[]): string =>
  name === '**' ? (index === all.length - 1 ? '.+' : '(?:[^/]+/)*') : `${nameSource(name)}/`;

function nameSource(name: string): string {
  let source = '';
  let depth = 0;
  for (let index = 0; index < name.length; index += 1) {
    const character = name[index] ?? '';
    const close = character === '[' ? name.indexOf(']', index + 2) : -1;
    if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (close > 0) {
      source += `[${name
        .slice(index + 1, close)
        .replace(/^!/, '^')
        .replaceAll('\\', '\\\\')}]`;
      index = close;
    } else if (character === '{' && name.indexOf('}', index) > 0) {
      depth += 1;
      source += '(?:';
    } else if (character === '}' && depth > 0) {
      depth -= 1;
      source += ')';
    } else if (character === ',' && depth > 0) source += '|';
    else source += character.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  }
  return source;
}

const neverInside = new Set(['.git', 'node_modules', '.tk']);

/** Paths of the files that the patterns name, relative to `root`, sorted. */
export async function findFiles(files: Files, root: string, patterns: readonly FilePattern[]): Promise<readonly string[]> {
  const found = new Set<string>();
  const take = (path: string) => {
    let isIn = false;
    for (const pattern of patterns) if (pattern.matches(path)) isIn = !pattern.takesOut;
    if (isIn) found.add(path);
  };
  const seen = new Set<string>();
  const walk = async (folder: string): Promise<void> => {
    if (seen.has(folder)) return;
    seen.add(folder);
    for (const { name, kind } of await files.list(folder === '' ? root : `${root}/${folder}`)) {
      if (neverInside.has(name)) continue;
      const path = folder === '' ? name : `${folder}/${name}`;
      if (kind === 'directory') await walk(path);
      else if (await isFile(path, kind)) take(path);
    }
  };
  /** A link counts as what it leads to; one to a folder is not followed, because it may lead back. */
  const isFile = async (path: string, kind: DirectoryEntry['kind']): Promise<boolean> => {
    if (kind !== 'link') return kind === 'file';
    const real = await files.realPath(`${root}/${path}`);
    return real !== undefined && (await files.stat(real))?.kind === 'file';
  };
  for (const { below, takesOut } of patterns) {
    if (takesOut) continue;
    if (below === '') await walk('');
    else {
      const kind = (await files.stat(`${root}/${below}`))?.kind;
      if (kind === undefined || kind === 'directory') await walk(below);
      else if (await isFile(below, kind)) take(below);
    }
  }
  return [...found].sort();
}
