import { tellUpkeep } from './history.ts';
import type { Product } from './product.ts';
import type { Upkeep } from './schedule.ts';
import { namesOf } from './shape.ts';
import { storyOf } from './stories.ts';

/** `I-13`, `G-07`, `a defect`: what stays the same while a history shrinks. */
export const kindOf = (violation: string): string => /^[A-Z]-\d\d/.exec(violation)?.[0] ?? violation.split(' ').slice(0, 2).join(' ');

/**
 * The smallest history that still breaks the same promise: without each fault, deed, death, stop and sleep that it does not need, on
 * the smallest cluster.
 */
export async function shrink(upkeep: Upkeep, product: Product): Promise<Upkeep> {
  const { violations } = await tellUpkeep(upkeep, product);
  const wanted = new Set(violations.map(kindOf));
  const stillBreaks = async (smaller: Upkeep) => (await tellUpkeep(smaller, product)).violations.some((one) => wanted.has(kindOf(one)));
  let smallest = upkeep;
  const attempt = async (smaller: Upkeep): Promise<void> => {
    if (await stillBreaks(smaller)) smallest = smaller;
  };
  for (const part of ['faults', 'deeds'] as const) {
    if (smallest[part].length > 0) await attempt({ ...smallest, [part]: [] });
    const all = smallest[part];
    for (const one of all)
      await attempt({ ...smallest, [part]: (smallest[part] as readonly unknown[]).filter((other) => other !== one) as never });
  }
  for (const part of ['deaths', 'stops', 'sleeps'] as const) {
    for (let index = 0; index < smallest[part].length; index += 1)
      if (smallest[part][index] !== undefined)
        await attempt({ ...smallest, [part]: smallest[part].map((one, at) => (at === index ? undefined : one)) });
  }
  for (const shape of [
    { controlPlanes: 1, workers: 0 },
    { controlPlanes: 1, workers: 1 },
    { controlPlanes: 3, workers: 0 },
  ]) {
    const isSmaller = shape.controlPlanes + shape.workers < smallest.shape.controlPlanes + smallest.shape.workers;
    if (!isSmaller || storyOf(upkeep.story).fits?.(shape) === false) continue;
    // Nobody does anything to a machine that is not there.
    const names = namesOf(shape);
    const deeds = smallest.deeds.filter(({ deed }) => !('node' in deed) || names.includes(deed.node));
    await attempt({ ...smallest, shape, deeds }).catch(() => {});
  }
  return smallest;
}
