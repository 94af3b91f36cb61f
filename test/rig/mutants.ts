import { readdirSync, readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { projectRoot } from './process.ts';

/** A mistake in the product, as edits of its source. */
export interface Mutant {
  readonly name: string;
  readonly edits: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
}

export interface MutantOptions {
  /** By name. Asked once for each module. */
  readonly mutants: readonly Mutant[];
  /**
   * Whether a module, by its path in the checkout, may be loaded once more for this mutant. One of the product is when it has the
   * mistake or imports, over however many others, one that has it; all others are the same for everybody.
   */
  readonly mayBeOwn: (path: string, mutant: Mutant) => boolean;
}

const stripped = new Map<string, string>();

/** Most files are the same for every mutant: their types are taken away once. */
function plain(path: string): string {
  const known = stripped.get(path) ?? stripTypeScriptTypes(readFileSync(join(projectRoot, path), 'utf8'));
  stripped.set(path, known);
  return known;
}

/** Where modules with mistakes are told from, and what these import. */
const rooms = ['lib', 'tasks'];

/** By path: what imports that module when it is loaded; types are gone by then. */
function importersIn(folders: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const importers = new Map<string, string[]>();
  for (const folder of folders)
    for (const name of readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts')) continue;
      const path = join(folder, name);
      const source = readFileSync(join(projectRoot, path), 'utf8').replaceAll(/^(?:import|export) type [^;]*;/gm, '');
      for (const [, specifier = ''] of source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g)) {
        const imported = specifier === 'talos-tk' ? 'lib/index.ts' : join(dirname(path), specifier);
        importers.set(imported, [...(importers.get(imported) ?? []), path]);
      }
    }
  return importers;
}

/** These files and all that import them, over however many others: what is loaded anew when they are. */
function withDependents(files: readonly string[], importers: ReturnType<typeof importersIn>): ReadonlySet<string> {
  const found = new Set(files);
  for (const file of found) for (const importer of importers.get(file) ?? []) found.add(importer);
  return found;
}

/** What a mutant broke. A product that is not whole would pass for one whose bug was found. */
export function foundBy(bug: string, violations: readonly string[]): readonly string[] {
  const unloaded = violations.find((text) => text.includes('ERR_MODULE_NOT_FOUND'));
  if (unloaded !== undefined) throw new Error(`${bug}: ${unloaded}`);
  return violations;
}

let isReady = false;

/**
 * Lets modules be loaded a second time with a mistake in them: whoever imports `x.ts?bug=name` gets all that lies below it with that
 * mistake. Only for Node's own loader, in a process of its own; a second call changes nothing.
 */
export function loadMutants({ mutants, mayBeOwn }: MutantOptions): void {
  if (isReady) return;
  isReady = true;
  const mutantIn = (url: string | undefined): Mutant | undefined => {
    const bug = /\?bug=([\w-]+)$/.exec(url ?? '')?.[1];
    return bug === undefined ? undefined : mutants.find(({ name }) => name === bug);
  };
  const importers = importersIn(rooms);
  const changed = new Map(
    mutants.map(({ name, edits }) => [
      name,
      withDependents(
        edits.map(({ file }) => file),
        importers,
      ),
    ]),
  );
  // The rig finds the tasks by listing them.
  const isOwn = (path: string, mutant: Mutant): boolean =>
    mayBeOwn(path, mutant) && (path.startsWith('test/') || changed.get(mutant.name)?.has(path) === true);
  // Before anything is told: a product that cannot be loaded would pass for one whose bug was found.
  for (const { name, edits } of mutants)
    for (const { file, find } of edits)
      if (!readFileSync(join(projectRoot, file), 'utf8').includes(find))
        throw new Error(`${file} has no \`${find}\` any more: the planted bug ${name} needs a new place`);
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context);
      const mutant = mutantIn(context.parentURL);
      if (!mutant || !resolved.url.startsWith('file:') || resolved.url.includes('?bug=')) return resolved;
      const path = relative(projectRoot, fileURLToPath(resolved.url));
      return isOwn(path, mutant) ? { ...resolved, url: `${resolved.url}?bug=${mutant.name}` } : resolved;
    },
    load(url, context, nextLoad) {
      const mutant = mutantIn(url);
      if (!mutant) return nextLoad(url, context);
      const path = relative(projectRoot, fileURLToPath(url));
      const edits = mutant.edits.filter(({ file }) => file === path);
      if (edits.length === 0 && path.endsWith('.ts')) return { format: 'module', source: plain(path), shortCircuit: true };
      const loaded = nextLoad(url, context);
      let source = Buffer.from(loaded.source as Uint8Array).toString('utf8');
      for (const { find, replace } of edits) source = source.replace(find, () => replace);
      return { ...loaded, source };
    },
  });
}
