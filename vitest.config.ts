import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['talos-tk-source'] },
  ssr: { resolve: { conditions: ['talos-tk-source'] } },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // The files of one worker share its modules: loading them anew for each costs a quarter of the whole run.
    isolate: false,
    setupFiles: ['test/setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
