import type { World } from '../base/index.ts';

/** The variables of the process, read one by one when somebody asks. */
export function environmentOf({ env }: Pick<World, 'env'>): Readonly<Record<string, string | undefined>> {
  return new Proxy(
    {},
    {
      get: (_target, name) => (typeof name === 'string' ? env.get(name) : undefined),
      has: (_target, name) => typeof name === 'string' && env.get(name) !== undefined,
    },
  );
}
