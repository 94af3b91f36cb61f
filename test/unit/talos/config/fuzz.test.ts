import { expect, test } from 'vitest';
import { fuzzOnce } from '../../../oracle/fuzz/talos-config.ts';

/** Seeds of `node test/oracle/fuzz/run.ts` that once found something. */
const found: readonly number[] = [20052206, 20057514, 20059258, 20067166, 20097110, 30018896, 30032952];

test('damaged talconfigs, patches, bundles and schematics are read or refused, and no message holds a secret', async () => {
  // The same in every run of `npm test`; the command tells others.
  const first = 50_000_000;
  for (const seed of [...found, ...Array.from({ length: 150 }, (_, index) => first + index)])
    expect((await fuzzOnce(seed)).finding).toBeUndefined();
});
