import { plantedBugs } from './rig/swarm/planted.ts';
import { searchPlanted } from './rig/swarm/own-process.ts';

/**
 * `npm run swarm:planted [NAME…]`: how soon the swarm finds each planted bug, and two more seeds that do. Ends with 1 when 300 histories
 * do not find one.
 */
const budget = 300;
const names = process.argv.slice(2);
for (const { name, what } of plantedBugs) {
  if (names.length > 0 && !names.includes(name)) continue;
  const [found = []] = await searchPlanted([{ bug: name, seeds: Array.from({ length: budget }, (_, seed) => seed), many: 3 }]);
  const [first] = found;
  if (!first) process.exitCode = 1;
  process.stdout.write(
    first
      ? `${name}: [${found.map(({ seed }) => seed).join(', ')}]  ${what}\n    ${found.map(({ violations }) => violations[0]).join('\n    ')}\n`
      : `${name}: not found in ${budget}  ${what}\n`,
  );
}
