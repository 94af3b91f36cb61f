import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const longest = ['test/sim/swarm/bootstrap.test.ts', 'test/sim/upkeep-histories.test.ts'];

/** What takes longest begins first, so that no worker is left with it alone at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification) => {
      const rank = longest.findIndex((file) => moduleId.endsWith(file));
      return rank === -1 ? longest.length : rank;
    };
    return (await super.sort(files)).toSorted((one, other) => rankOf(one) - rankOf(other));
  }
}

export default defineConfig({
  resolve: { conditions: ['talos-tk-source'] },
  ssr: { resolve: { conditions: ['talos-tk-source'] } },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // One more than processors: tests of programs wait as much as they work.
    maxWorkers: 3,
    // The files of one worker share its modules: loading them anew for each costs a quarter of the whole run.
    isolate: false,
    sequence: { sequencer: LongestFirst },
    setupFiles: ['test/setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
