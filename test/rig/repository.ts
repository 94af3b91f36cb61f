import { createHash } from 'node:crypto';
import { cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** A repository below `parent`: copies of these files and folders of another one, then these files. */
export function repositoryIn(
  parent: string,
  name: string,
  {
    from,
    copies,
    files = {},
  }: { readonly from: string; readonly copies: readonly string[]; readonly files?: Readonly<Record<string, string>> },
): string {
  const root = join(parent, name);
  for (const copy of copies) cpSync(join(from, copy), join(root, copy), { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

/** Mode and digest of every file of a repository, without what tk keeps in `.tk`. */
export function bytesOf(root: string): Readonly<Record<string, string>> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !relative(root, path).startsWith('.tk/'))
    .sort();
  return Object.fromEntries(
    files.map((path) => [
      relative(root, path),
      `${(lstatSync(path).mode & 0o777).toString(8)} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`,
    ]),
  );
}
