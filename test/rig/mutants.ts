import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { join, relative } from 'node:path';
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
  /** Whether a module, by its path in the checkout, is loaded once more for this mutant; others are the same for everybody. */
  readonly isOwn: (path: string, mutant: Mutant) => boolean;
}

const stripped = new Map<string, string>();

/** Most files are the same for every mutant: their types are taken away once. */
function plain(path: string): string {
  const known = stripped.get(path) ?? stripTypeScriptTypes(readFileSync(join(projectRoot, path), 'utf8'));
  stripped.set(path, known);
  return known;
}

let isReady = false;

/**
 * Lets modules be loaded a second time with a mistake in them: whoever imports `x.ts?bug=name` gets all that lies below it with that
 * mistake. Only for Node's own loader, in a process of its own; a second call changes nothing.
 */
export function loadMutants({ mutants, isOwn }: MutantOptions): void {
  if (isReady) return;
  isReady = true;
  const mutantIn = (url: string | undefined): Mutant | undefined => {
    const bug = /\?bug=([\w-]+)$/.exec(url ?? '')?.[1];
    return bug === undefined ? undefined : mutants.find(({ name }) => name === bug);
  };
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
      for (const { find, replace } of edits) {
        if (!source.includes(find))
          throw new Error(`${path} has no \`${find}\` any more: the planted bug ${mutant.name} needs a new place`);
        source = source.replace(find, () => replace);
      }
      return { ...loaded, source };
    },
  });
}
