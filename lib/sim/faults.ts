import type { Json, Random } from '../base/index.ts';
import type { SimFault } from './kernel.ts';

/**
 * One way things go wrong. `point` names the place in a model or on the wire that asks (`wire/reply`, `talos/install`, …);
 * the table of points is in `fault-points.ts`.
 */
export interface FaultRule {
  readonly point: string;
  readonly kind: string;
  /** Chance at each visit; 1 means always. */
  readonly probability: number;
  /** Ends after so many hits. Default: no limit. */
  readonly atMost?: number;
  /** Visits that pass before the rule is armed, counted over those that match. */
  readonly skip?: number;
  /** Only visits with these facts. */
  readonly only?: { readonly [fact: string]: Json };
  /** Virtual time window in which the rule is armed. */
  readonly fromMs?: number;
  readonly untilMs?: number;
  /** What the point gets to know: how late, which status code. */
  readonly facts?: { readonly [fact: string]: Json };
}

export interface FaultPlan {
  ask(point: string, facts: { readonly [fact: string]: Json }, atMs: number): SimFault | undefined;
  /** Hits by `point kind`, for the counts that a swarm prints. */
  hits(): Readonly<Record<string, number>>;
}

export function createFaultPlan(rules: readonly FaultRule[], random: Random): FaultPlan {
  const armed = new Map<string, { rule: FaultRule; hits: number; seen: number }[]>();
  for (const rule of rules) armed.set(rule.point, [...(armed.get(rule.point) ?? []), { rule, hits: 0, seen: 0 }]);
  const counts: Record<string, number> = {};
  return {
    ask(point, facts, atMs) {
      for (const entry of armed.get(point) ?? []) {
        const { rule } = entry;
        if (atMs < (rule.fromMs ?? 0) || atMs > (rule.untilMs ?? Infinity)) continue;
        if (rule.only !== undefined && Object.entries(rule.only).some(([fact, value]) => facts[fact] !== value)) continue;
        entry.seen += 1;
        if (entry.seen <= (rule.skip ?? 0) || entry.hits >= (rule.atMost ?? Infinity)) continue;
        if (rule.probability < 1 && random.fraction() >= rule.probability) continue;
        entry.hits += 1;
        const name = `${point} ${rule.kind}`;
        counts[name] = (counts[name] ?? 0) + 1;
        return { kind: rule.kind, facts: rule.facts ?? {} };
      }
      return undefined;
    },
    hits: () => ({ ...counts }),
  };
}
