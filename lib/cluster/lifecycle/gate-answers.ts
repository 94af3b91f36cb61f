import { type Failure, TkError } from '../../base/index.ts';
import type { Log, TaskContext } from '../../core/index.ts';
import type { GateAnswer } from './lifecycle.ts';

/**
 * Goes on only when no gate refused. Each gate that was overridden is kept in the journal with its reason, before anything is done.
 *
 * Shape: `told` is what was kept and told for this node before; gates that say the same again are passed without a word.
 * Failure: all refusals at once.
 */
export async function passGates(
  answers: readonly GateAnswer[],
  { keep, log, node, told }: { readonly keep: TaskContext['keep']; readonly log: Log; readonly node?: string; readonly told?: Set<string> },
): Promise<void> {
  const [first, ...rest] = refusalsOf(answers);
  if (first) throw new TkError(first, ...rest);
  for (const answer of answers) {
    if (answer.state !== 'overridden') continue;
    const said = `${answer.gate} ${JSON.stringify(answer.failures, bigintAsText)}`;
    if (told?.has(said)) continue;
    told?.add(said);
    await keep({
      subject: `gate ${answer.gate}: ${answer.failures.map(({ code }) => code).join(', ')}`,
      reason: answer.reason,
      ...(node === undefined ? {} : { node }),
    });
    for (const failure of answer.failures) log.warn(failure);
    log.warn(`gate ${answer.gate} is overridden: ${answer.reason}`);
  }
}

const bigintAsText = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

export const refusalsOf = (answers: readonly GateAnswer[]): readonly Failure[] =>
  answers.flatMap((answer) => (answer.state === 'refused' ? answer.failures : []));

/** How long to wait when nothing refuses but that a machine has just booted: it passes by itself. */
export function passesInMs(answers: readonly GateAnswer[]): number | undefined {
  const [refusal, ...more] = refusalsOf(answers);
  const inMs = more.length === 0 ? refusal?.facts['passesInMs'] : undefined;
  return typeof inMs === 'number' ? inMs : undefined;
}

/** `identity, etcd-quorum (cp-1 leads, 3 of 3 healthy), …`: what a step shows when everything passed. */
export function describeAnswers(answers: readonly GateAnswer[]): string {
  const passed = answers.filter((answer) => answer.state === 'passed').length;
  const overridden = answers.filter((answer) => answer.state === 'overridden').map(({ gate }) => gate);
  return [`${passed} passed`, ...(overridden.length > 0 ? [`overridden: ${overridden.join(', ')}`] : [])].join(', ');
}
