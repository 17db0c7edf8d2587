import { describe } from 'vitest';
import { controlContract } from './backend-control.ts';
import { useBackend } from './backend-fixture.ts';
import type { BackendHarness } from './backend-harness.ts';
import { lifeContract } from './backend-life.ts';
import { logContract } from './backend-logs.ts';

/** What every backend does, whatever runs beneath. */
export function backendContract(name: string, makeHarness: () => Promise<BackendHarness>): void {
  describe(`${name} as a backend`, () => {
    const fixture = useBackend(makeHarness);
    lifeContract(fixture);
    controlContract(fixture);
    logContract(fixture);
  });
}
