import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const needsEngine = ['test/**/*.docker.test.ts', 'test/e2e/**/*.test.ts'];

export default defineConfig({
  define: { WEIR_VERSION: JSON.stringify(version) },
  test: {
    reporters: ['dot'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: needsEngine,
          pool: 'forks',
          // Files share a process: 41 of them took 1.1 s instead of 9.2 s.
          isolate: false,
          // Says that a test hangs, not that it is slow: machines of CI are shared.
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'docker',
          include: needsEngine,
          globalSetup: ['test/support/docker-image.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
