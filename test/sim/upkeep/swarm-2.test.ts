import { stories } from '../../rig/upkeep/stories.ts';
import { upkeepSwarm } from '../../rig/upkeep/swarm-test.ts';

upkeepSwarm({ stories: stories.filter((_, index) => index % 2 === 1), first: 0 });
