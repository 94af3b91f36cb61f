import { readFileSync } from 'node:fs';

/** Names of the cases of one area in which tk is known to differ from upstream, each with its reason. */
export function knownGaps(area: string): ReadonlyMap<string, string> {
  const lines = readFileSync(new URL('../conformance/known-gaps.txt', import.meta.url), 'utf8').split('\n');
  const gaps = new Map<string, string>();
  for (const line of lines) {
    if (!line.startsWith(`${area}: `)) continue;
    const [name = '', reason = ''] = line.slice(area.length + 2).split(' — ');
    if (reason === '') throw new Error(`known-gaps.txt gives no reason: ${line}`);
    gaps.set(name, reason);
  }
  return gaps;
}
