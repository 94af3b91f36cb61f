import { posix } from 'node:path';
import { type Files, remembered } from '../base/index.ts';

/**
 * Whether git would leave this file alone: the `.gitignore` files from the root down to its directory, the last matching line wins.
 *
 * Source: gitignore(5): `#`, `!`, anchoring by a slash, `*`, `?`, `[…]`, `**`, a trailing slash for directories.
 */
export async function isIgnored(files: Pick<Files, 'readText'>, root: string, path: string): Promise<boolean> {
  const pieces = path.split('/');
  // A directory that is ignored takes everything below it along, whatever later lines say.
  for (let length = 1; length <= pieces.length; length += 1) {
    const part = pieces.slice(0, length).join('/');
    if (await matches(files, root, part, length < pieces.length)) return true;
  }
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
    for (const line of text.split(/\r?\n/)) {
      const rule = parseRule(line);
      if (rule && (isDirectory || !rule.directoriesOnly) && rule.pattern.test(relative)) ignored = !rule.negated;
    }
  }
  return ignored;
}

function parseRule(line: string): { readonly pattern: RegExp; readonly negated: boolean; readonly directoriesOnly: boolean } | undefined {
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
  const byFolder = new Map<string, string[]>();
  for (const path of paths)
    if (path.startsWith(`${root}/`))
      byFolder.set(posix.dirname(path), [...(byFolder.get(posix.dirname(path)) ?? []), posix.basename(path)]);
  for (const [folder, names] of byFolder) {
    // One folder's files all ask for the same few, which change only behind this loop.
    const read = remembered((path: string) => files.readText(path), { keyOf: (path) => path, limit: 1000 });
    const ignoreFile = posix.join(folder, '.gitignore');
    const text = (await files.readText(ignoreFile)) ?? '';
    const lines = new Set(text.split(/\r?\n/));
    const missing: string[] = [];
    for (const name of names) {
      // A line of its own that nothing takes back needs no second look.
      if (lines.has(`/${name}`) && !text.includes('!')) continue;
      if (!(await isIgnored({ readText: read }, root, posix.join(folder, name).slice(root.length + 1)))) missing.push(`/${name}\n`);
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
