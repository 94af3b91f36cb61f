import { type Failure, TkError } from '../../../../lib/base/index.ts';

/** Code and facts of everything that was thrown. */
export function failureCodes(act: () => unknown): readonly object[] {
  try {
    act();
    return [];
  } catch (error) {
    if (error instanceof TkError) return error.failures.map(told);
    throw error;
  }
}

export const told = ({ code, facts }: Failure): object => ({ code, ...facts });
