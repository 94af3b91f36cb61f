import type { issue } from '../../pki/index.ts';
import type { SimKernel } from '../kernel.ts';
import { createSeededRandom } from '../random.ts';

type PkiWorld = Parameters<typeof issue>[0];

/** Makes certificates. */
export interface Issuer {
  /** `key`: everything that is written in it but the time. */
  issue<T extends object>(machine: string, key: readonly unknown[], make: (world: PkiWorld) => Promise<T>): Promise<T>;
}

const reused = new Map<string, object>();

/**
 * With `reuse`, simulations in memory share what they make, by everything that is written in it but the time: signing the same
 * certificates is most of the work of a short run.
 */
export function createIssuer(kernel: SimKernel, options: { readonly reuse: boolean }): Issuer {
  const { clock } = kernel;
  return {
    async issue<T extends object>(machine: string, named: readonly unknown[], make: (world: PkiWorld) => Promise<T>): Promise<T> {
      if (!options.reuse) return clock.whileBusy(() => make({ random: kernel.random(`pki/${machine}`), clock }));
      const key = JSON.stringify([machine, ...named]);
      return clock.inTurn(async () => {
        let made = reused.get(key) as T | undefined;
        if (!made) {
          if (reused.size > 4000) reused.clear();
          // Made from their names alone, so that it makes no difference which run was the first.
          made = await make({ random: createSeededRandom('certificates', key), clock });
          reused.set(key, made);
        }
        return made;
      });
    },
  };
}
