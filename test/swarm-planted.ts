import { plantedBugs } from './rig/swarm/planted.ts';
import { searchPlanted } from './rig/swarm/own-process.ts';

/** `npm run swarm:planted [NAME…]`: how soon the swarm finds each planted bug. Ends with 1 when 300 histories do not find one. */
const budget = 300;
const names = process.argv.slice(2);
for (const { name, what } of plantedBugs) {
  if (names.length > 0 && !names.includes(name)) continue;
  const { seed, violations } = await searchPlanted(name, 0, budget);
  if (seed === null) process.exitCode = 1;
  process.stdout.write(
    seed === null
      ? `not found in ${budget}  ${name}: ${what}\n`
      : `swarm-${String(seed).padEnd(4)} ${name}: ${what}\n            ${violations[0]}\n`,
  );
}
