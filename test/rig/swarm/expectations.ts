import { bootstrapFaults, faultClasses } from '../../../lib/sim/index.ts';
import type { Told } from './tell-many.ts';

/** Kinds of faults that a bootstrap never meets, and why. */
const elsewhere: Readonly<Record<string, string>> = {
  'wire/message lost': 'a bootstrap follows no events',
};

/** Every failure that some history of a bootstrap ends with. Another one is no defect, but belongs in here. */
export const expectedCodes = [
  'host/dial',
  'host/file',
  'journal/write',
  'preflight/unreachable',
  'talos/deadline',
  'talos/unavailable',
  'talos/unreachable',
  'wait/timeout',
] as const;

/** What should have happened in these histories at least once, and did not. */
export function neverHappened({ faults, branches, codes }: Told): readonly string[] {
  const wanted = [...faultClasses, ...bootstrapFaults].filter((one) => one.meets !== 'upkeep').map(({ point, kind }) => `${point} ${kind}`);
  return [
    ...new Set(wanted.filter((name) => elsewhere[name] === undefined && !faults[name]).map((name) => `fault: ${name}`)),
    ...Object.entries(branches)
      .filter(([, count]) => count === 0)
      .map(([name]) => `way out: ${name}`),
    ...expectedCodes.filter((code) => !codes[code]).map((code) => `failure: ${code}`),
  ];
}
