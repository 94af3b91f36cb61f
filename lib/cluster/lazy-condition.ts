import type { Condition } from '../base/index.ts';

/**
 * A condition over something that has to be opened first, each time anew: a client whose kubeconfig may not be there yet. What
 * `make` throws counts like what `check` throws.
 */
export function lazily<T>(shape: Omit<Condition<T>, 'check'>, make: () => Promise<Condition<T>>): Condition<T> {
  return { ...shape, check: async (signal) => (await make()).check(signal) };
}
