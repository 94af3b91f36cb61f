import { allOf, type Failure } from '../base/index.ts';
import { type FailurePrintOptions, renderFailure } from './failure-text.ts';

interface Kind {
  readonly first: Failure;
  readonly others: string[];
}

/**
 * The texts of failures, one for each that says something of its own: what is the same on many machines is told once, with the others
 * by name.
 *
 * Shape: in the order of the first of each kind.
 */
export function renderFailures(failures: readonly Failure[], options: FailurePrintOptions = {}): readonly string[] {
  const kinds = new Map<string, Kind>();
  for (const failure of failures) {
    const key = withoutNames(failure);
    const known = kinds.get(key);
    const name = nodeOf(failure);
    if (known === undefined) kinds.set(key, { first: failure, others: [] });
    else if (name !== undefined && name !== nodeOf(known.first) && !known.others.includes(name)) known.others.push(name);
  }
  return [...kinds.values()].map(({ first, others }) =>
    renderFailure(first, { ...options, ...(others.length === 0 ? {} : { also: allOf(others) }) }),
  );
}

const nodeOf = ({ facts, where }: Failure): string | undefined =>
  typeof facts['node'] === 'string' ? facts['node'] : where?.kind === 'step' ? where.node : undefined;

/** Its text as it would be of any machine. */
function withoutNames(failure: Failure): string {
  const text = renderFailure(failure);
  const { address } = failure.facts;
  const names = [nodeOf(failure), typeof address === 'string' ? address : undefined];
  return names.reduce<string>((seen, name) => (name === undefined || name === '' ? seen : seen.replaceAll(wordOf(name), '…')), text);
}

/** `cp-1` is no part of `cp-10` or `rook-cp-1`. */
const wordOf = (name: string): RegExp => new RegExp(`(?<![\\w.-])${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w-]|\\.\\w)`, 'g');
