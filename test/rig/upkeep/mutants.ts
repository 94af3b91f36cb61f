import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import { join, relative } from 'node:path';
import { projectRoot } from '../process.ts';
import { plantedBugs } from './planted.ts';

/** Rooms that hold no bug of these, and whose classes must be the same for everybody. */
const shared = /^lib\/(?:base|sim|upstream|format|pki|wasm|host|ui|secrets|render)\//;

const stripped = new Map<string, string>();

/** Most files are the same for every bug: their types are taken away once. */
function plain(path: string): string {
  const known = stripped.get(path) ?? stripTypeScriptTypes(readFileSync(join(projectRoot, path), 'utf8'));
  stripped.set(path, known);
  return known;
}

let isReady = false;

/**
 * Lets a module of the product be loaded a second time with a planted bug in it: whoever imports `x.ts?bug=name` gets all that lies
 * below it with that bug. Only for Node's own loader, in a process of its own; a second call changes nothing.
 */
export function plantBugs(): void {
  if (isReady) return;
  isReady = true;
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context);
      const bug = /\?bug=([\w-]+)$/.exec(context.parentURL ?? '')?.[1];
      if (bug === undefined || !resolved.url.startsWith('file:') || resolved.url.includes('?bug=')) return resolved;
      const path = relative(projectRoot, fileURLToPath(resolved.url));
      if (!/^(?:lib|tasks)\//.test(path) || shared.test(path)) return resolved;
      return { ...resolved, url: `${resolved.url}?bug=${bug}` };
    },
    load(url, context, nextLoad) {
      const bug = /\?bug=([\w-]+)$/.exec(url)?.[1];
      if (bug === undefined) return nextLoad(url, context);
      const path = relative(projectRoot, fileURLToPath(url));
      const edits = plantedBugs.find(({ name }) => name === bug)?.edits.filter(({ file }) => file === path) ?? [];
      if (edits.length === 0 && path.endsWith('.ts')) return { format: 'module', source: plain(path), shortCircuit: true };
      const loaded = nextLoad(url, context);
      let source = Buffer.from(loaded.source as Uint8Array).toString('utf8');
      for (const { find, replace } of edits) {
        if (!source.includes(find)) throw new Error(`${path} has no \`${find}\` any more: the planted bug ${bug} needs a new place`);
        source = source.replace(find, replace);
      }
      return { ...loaded, source };
    },
  });
}
