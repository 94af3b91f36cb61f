import type { UpkeepStory } from './stories/story.ts';
import { machineStories } from './stories/machines.ts';
import { membershipStories } from './stories/membership.ts';
import { refusedStories } from './stories/refused.ts';
import { upgradeStories } from './stories/upgrades.ts';

export type { Place, UpkeepCommand, UpkeepStory } from './stories/story.ts';

export const stories: readonly UpkeepStory[] = [...upgradeStories, ...machineStories, ...membershipStories, ...refusedStories];

/** Those of which a sequence is made: `reboot > patch`. */
export const parts: readonly UpkeepStory[] = stories.filter(({ isPart }) => isPart);

const between = ' > ';

/** By its name; several with ` > ` between them are one story, whose commands follow each other. */
export function storyOf(name: string): UpkeepStory {
  const members = name.split(between).map((one) => {
    const found = stories.find((story) => story.name === one);
    if (!found) throw new RangeError(`no story is called ${one}: ${stories.map((story) => story.name).join(', ')}`);
    return found;
  });
  const [first, ...others] = members as [UpkeepStory, ...UpkeepStory[]];
  if (others.length === 0) return first;
  return {
    name,
    weight: 0,
    fits: (shape) => members.every((one) => one.fits?.(shape) ?? true),
    commands: (at) => members.flatMap((one) => one.commands(at)),
    problems: (at) => members.flatMap((one) => one.problems?.(at) ?? []),
  };
}

export const sequenceOf = (names: readonly string[]): string => names.join(between);
