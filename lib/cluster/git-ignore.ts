import { posix } from 'node:path';
import { type Files, remembered } from '../base/index.ts';

/**
 * Whether git would leave this file alone: the `.gitignore` files from the root down to its directory, the last matching line wins.
 *
 * Source: gitignore(5): `#`, `!`, anchoring by a slash, `*`, `?`, `[…]`, `**`, a trailing slash for directories.
 */
export async function isIgnored(files: Pick<Files, 'readText'>, root: string, path: string): Promise<boolean> {
  return (await isFolderIgnored(files, root, posix.dirname(path))) || matches(files, root, path, false);
}

/** A directory that is ignored takes everything below it along, whatever later lines say. */
async function isFolderIgnored(files: Pick<Files, 'readText'>, root: string, path: string): Promise<boolean> {
  const pieces = path === '.' ? [] : path.split('/');
  for (let length = 1; length <= pieces.length; length += 1)
    if (await matches(files, root, pieces.slice(0, length).join('/'), true)) return true;
  return false;
}

async function matches(files: Pick<Files, 'readText'>, root: string, path: string, isDirectory: boolean): Promise<boolean> {
  let ignored = false;
  const pieces = path.split('/');
  for (let depth = 0; depth < pieces.length; depth += 1) {
    const base = pieces.slice(0, depth).join('/');
    const text = await files.readText(posix.join(root, base, '.gitignore'));
    if (text === undefined) continue;
    const relative = pieces.slice(depth).join('/');
    for (const rule of rulesOf(text)) if ((isDirectory || !rule.directoriesOnly) && rule.pattern.test(relative)) ignored = !rule.negated;
  }
  return ignored;
}

interface Rule {
  readonly pattern: RegExp;
  readonly negated: boolean;
  readonly directoriesOnly: boolean;
}

/** Every file that is asked for meets the same few. */
const rulesOf = remembered((text: string): readonly Rule[] => text.split(/\r?\n/).flatMap((line) => parseRule(line) ?? []), {
  keyOf: (text) => text,
  limit: 20,
});

function parseRule(line: string): Rule | undefined {
  let text = line.replace(/(?<!\\)\s+$/, '');
  if (text === '' || text.startsWith('#')) return undefined;
  const negated = text.startsWith('!');
  if (negated) text = text.slice(1);
  const directoriesOnly = text.endsWith('/');
  if (directoriesOnly) text = text.slice(0, -1);
  const anchored = text.includes('/');
  const body = text
    .replace(/^\//, '')
    .replace(/[.+^${}()|]/g, '\\$&')
    .replaceAll('**/', '\u0001')
    .replaceAll('/**', '\u0002')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]')
    .replaceAll('\u0001', '(?:.*/)?')
    .replaceAll('\u0002', '/.*');
  return { pattern: new RegExp(`^${anchored ? '' : '(?:.*/)?'}${body}$`), negated, directoriesOnly };
}

/** The same for many files: each `.gitignore` is written once, however many lines it gets. */
export async function ensureAllIgnored(files: Files, root: string, paths: readonly string[]): Promise<void> {
  const byFolder = Map.groupBy(
    paths.filter((path) => path.startsWith(`${root}/`)),
    (path) => posix.dirname(path),
  );
  for (const [folder, inFolder] of byFolder) {
    // One folder's files all ask for the same few, which change only behind this loop.
    const read = remembered((path: string) => files.readText(path), { keyOf: (path) => path, limit: 1000 });
    const ignoreFile = posix.join(folder, '.gitignore');
    const text = (await files.readText(ignoreFile)) ?? '';
    const lines = new Set(text.split(/\r?\n/));
    const missing: string[] = [];
    let isWhole: boolean | undefined;
    for (const path of inFolder) {
      const name = posix.basename(path);
      // A line of its own that nothing takes back needs no second look.
      if (lines.has(`/${name}`) && !text.includes('!')) continue;
      isWhole ??= await isFolderIgnored({ readText: read }, root, posix.relative(root, folder) || '.');
      if (!isWhole && !(await matches({ readText: read }, root, path.slice(root.length + 1), false))) missing.push(`/${name}\n`);
    }
    if (missing.length > 0) await files.write(ignoreFile, `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${missing.join('')}`);
  }
}

/** Adds a line for the file to the `.gitignore` beside it, unless git ignores it already. Before the secret is written. */
export async function ensureIgnored(files: Files, root: string, path: string): Promise<void> {
  if (!path.startsWith(`${root}/`)) return;
  const relative = path.slice(root.length + 1);
  if (await isIgnored(files, root, relative)) return;
  const ignoreFile = posix.join(posix.dirname(path), '.gitignore');
  const text = (await files.readText(ignoreFile)) ?? '';
  await files.write(ignoreFile, `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}/${posix.basename(path)}\n`);
}
