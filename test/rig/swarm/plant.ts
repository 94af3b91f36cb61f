import { registerHooks } from 'node:module';
import { plantedBugs } from './planted.ts';

/** Preloaded into a process whose product shall have the mistake that `TK_PLANTED` names. */
const name = process.env['TK_PLANTED'];
const bug = plantedBugs.find((one) => one.name === name);
if (!bug) throw new Error(`no planted bug is called ${name}: ${plantedBugs.map((one) => one.name).join(', ')}`);

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const changes = bug.changes.filter(({ file }) => url.endsWith(`/${file}`));
    if (changes.length === 0) return loaded;
    let source = typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString('utf8');
    for (const { file, from, to } of changes) {
      if (source.split(from).length !== 2) throw new Error(`the place of ${bug.name} is not in ${file} exactly once: ${from}`);
      source = source.replace(from, () => to);
    }
    return { ...loaded, source };
  },
});
