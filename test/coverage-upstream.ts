// `npm run coverage:upstream`: which calls and model rules were held against upstream, and which gaps are known.
import { readFileSync } from 'node:fs';
import { statusNames } from '../lib/talos/client/calls.ts';
import { callCoverage, isUncovered, modelSources } from './rig/upstream-coverage.ts';

const calls = callCoverage();
const width = Math.max(...calls.map(({ path }) => path.length));
console.log("Calls: what our client says to upstream's Go API, and stock talosctl to the simulator\n");
for (const call of calls) {
  const client = call.client.length === 0 ? '-' : call.client.join(' ');
  const talosctl = [...call.talosctl]
    .sort(([a], [b]) => a - b)
    .map(([code, count]) => `${statusNames[code] ?? code} ${count}`)
    .join(', ');
  const note = call.gap === undefined ? (call.isServed ? '' : 'not simulated') : `gap: ${call.gap}`;
  console.log([call.path.padEnd(width), client.padEnd(15), (talosctl || '-').padEnd(34), note].join('  ').trimEnd());
}
const sources = modelSources();
const named = sources.filter((file) => file.sources > 0);
console.log(
  `\nModels: ${sources.reduce((sum, file) => sum + file.sources, 0)} rules in ${named.length} of ${sources.length} files name their upstream source\n`,
);
for (const { file, sources: count } of sources) console.log(`${String(count).padStart(4)}  lib/sim/${file}`);
console.log(`\nKnown gaps\n\n${readFileSync(new URL('conformance/known-gaps.txt', import.meta.url), 'utf8').trim()}`);
const uncovered = calls.filter(isUncovered);
console.log(`\n${calls.length} calls, ${uncovered.length} without a recording or a reason`);
for (const { path } of uncovered) console.log(`  ${path}`);
process.exitCode = uncovered.length === 0 ? 0 : 1;
