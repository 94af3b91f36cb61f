import { z } from 'zod';
import { minutes, TkError } from '../../base/index.ts';
import { lifecycleFailure } from './failures.ts';
import type { DrainPolicy, Gates, Overrides } from './lifecycle.ts';

/** Units as Go writes durations; several may follow each other. */
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

const duration = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/;

/** `90s`, `5m`, `1h30m`. */
export function readDuration(text: string): number | undefined {
  if (!duration.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) total += Number(amount) * (unitMs[unit ?? ''] ?? 0);
  return total;
}

/** A version of Talos or Kubernetes, with its `v` or without. `example` is what a slip of the finger is answered with. */
export const versionParam = (example: string) => z.string().regex(/^v?\d+\.\d+\.\d+(?:-[\w.]+)?$/, `expected a version: ${example}`);

/** With its `v`, as everything below the tasks takes it. */
export const versionTag = (version: string): string => `v${version.replace(/^v/, '')}`;

/** To be spread into the params of every task that takes machines away: how pods are moved, and which gate is overridden and why. */
export const disruptionParams = {
  drain: z
    .string()
    .regex(/^(?:evict|skip|delete-after=(?:\d+(?:\.\d+)?(?:ms|s|m|h))+)$/, 'expected evict, skip or delete-after=5m')
    .default('evict')
    .describe('how pods are moved: evict, skip, or delete-after=5m for those that a budget holds back'),
  drainTimeout: z.string().regex(duration, 'expected a duration like 5m').default('5m').describe('how long moving the pods may take'),
  override: z.array(z.string()).default([]).describe('gate="reason": goes on although that gate refuses; the journal keeps the reason'),
  acceptDowntime: z.boolean().default(false).describe('etcd of one or two members may stand still meanwhile'),
};

export interface DisruptionParams {
  readonly drain: string;
  readonly drainTimeout: string;
  readonly override: readonly string[];
  readonly acceptDowntime: boolean;
}

/** What `disrupt` takes of those params. Failure: `usage/override-unknown`, `usage/override-reason`. */
export function disruptionOptions(
  params: DisruptionParams,
  gates: Gates,
): { readonly drain: DrainPolicy; readonly overrides: Overrides; readonly acceptsDowntime: boolean } {
  return { drain: drainPolicy(params), overrides: gates.overridesFrom(params.override), acceptsDowntime: params.acceptDowntime };
}

function drainPolicy({ drain, drainTimeout }: DisruptionParams): DrainPolicy {
  if (drain === 'skip') return { how: 'skip' };
  const deadlineMs = readDuration(drainTimeout) ?? minutes(5);
  if (drain === 'evict') return { how: 'evict', deadlineMs };
  const afterMs = readDuration(drain.slice('delete-after='.length)) ?? minutes(5);
  // What is deleted has its own time to end, beyond the time in which it was asked.
  return { how: 'delete-after', afterMs, deadlineMs: afterMs + deadlineMs };
}

/** `2` or `25%` of so many, at least one; a share is rounded up. Failure: `usage/share`. */
export function shareOf(asked: string | number, total: number, what: string): number {
  const text = String(asked);
  const match = /^([1-9]\d*)(%?)$/.exec(text);
  if (!match) throw new TkError(lifecycleFailure('usage/share', { asked: text, what }));
  const amount = Number(match[1]);
  return Math.max(1, match[2] === '%' ? Math.min(total, Math.ceil((total * amount) / 100)) : amount);
}
