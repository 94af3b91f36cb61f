import { suggestionFor, TkError } from '../../base/index.ts';
import { lifecycleFailure } from './failures.ts';
import type { GateName, Overrides } from './lifecycle.ts';

/** What a gate is told besides those that `check` asks: the image that is about to be installed. */
export const imageGate = 'image';

/**
 * `etcd-quorum=cp-3 is in the workshop`; a colon does as well.
 *
 * Failure: `usage/override-unknown`, `usage/override-reason`: a gate is overridden by its name, with a reason that somebody can read.
 */
export function parseOverrides(words: readonly string[], gates: readonly GateName[]): Overrides {
  const known = [imageGate, ...gates];
  return new Map(
    rejoined(words, known).map((word) => {
      const [, gate = word, reason = ''] = /^([^=:]*)[=:](.*)$/s.exec(word) ?? [];
      const name = gate.trim();
      if (!known.includes(name)) {
        const suggestion = suggestionFor(name, known);
        throw new TkError(lifecycleFailure('usage/override-unknown', { asked: name, known, ...(suggestion ? { suggestion } : {}) }));
      }
      const text = reason.trim().replace(/^(["'])(.*)\1$/s, '$2');
      if (text.length < shortestReason) throw new TkError(lifecycleFailure('usage/override-reason', { gate: name }));
      return [name, text] as const;
    }),
  );
}

/** Words of a list are cut at commas, and a reason may have one: what does not begin with a name and a sign belongs to the word before. */
function rejoined(words: readonly string[], known: readonly string[]): readonly string[] {
  const whole: string[] = [];
  for (const word of words) {
    const name = /^\s*([\w-]+)\s*[=:]/.exec(word)?.[1];
    const before = whole.at(-1);
    if (before !== undefined && (name === undefined || !known.includes(name)) && before.includes('='))
      whole[whole.length - 1] = `${before}, ${word}`;
    else whole.push(word);
  }
  return whole;
}

/** `x`, `ok` and `yes` are no reasons. */
const shortestReason = 4;
