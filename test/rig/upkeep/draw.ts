import { type Bias, type Upkeep, upkeepOf } from './schedule.ts';
import { storyOf } from './stories.ts';

/** The first draw after the seed's own that makes sense on its shape. */
export function drawUpkeep(seed: string, stories: readonly string[], bias: Bias = {}): Upkeep {
  for (let number = 0; ; number += 1) {
    const upkeep = upkeepOf(number === 0 ? seed : `${seed}.${number}`, stories, bias);
    if (storyOf(upkeep.story).fits?.(upkeep.shape) ?? true) return { ...upkeep, seed };
  }
}
