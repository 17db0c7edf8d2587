import { systemClock } from '../../../../src/lib/clock.ts';
import type { StartOrder } from '../../../../src/runner/backend/backend.ts';
import { createSimulatedBackend } from '../../../../src/runner/backend/simulated/simulated-backend.ts';
import { createSimulatedEngine, workloadKey } from '../../../../src/runner/backend/simulated/simulated-engine.ts';
import { backendContract } from '../../../contract/backend.ts';
import type { BackendHarness, Deed } from '../../../contract/backend-harness.ts';

backendContract('the simulated one', async () => {
  const engine = createSimulatedEngine({
    clock: systemClock,
    script: { startMs: () => 5, startFailure },
  });
  let counter = 100;
  return {
    open: () => createSimulatedBackend({ engine }),
    image: 'sim/demo:1',
    missingImage: 'sim/missing:1',
    argv: (deeds) => deeds.flatMap(words),
    nextCounter: () => counter++,
    cutNextStart: engine.cutNextStart,
    disconnect: engine.engineDown,
    reconnect: () => {
      if (!engine.isUp()) engine.engineUp();
    },
    async removeByHand({ ref }) {
      engine.removeByHand(ref);
      if (engine.workloads.has(workloadKey(ref))) throw new Error('it is still there');
    },
    async [Symbol.asyncDispose]() {},
  } satisfies BackendHarness;
});

function startFailure({ spec }: StartOrder): string | null {
  return spec.user === 'no-such-user' ? `unable to find user ${spec.user}` : null;
}

function words(deed: Deed): string[] {
  if (deed === 'eat memory') return ['allocate', '1GiB'];
  if (deed === 'sleep for ever') return ['sleep', '520w'];
  if ('print' in deed) return ['print', deed.print];
  if ('warn' in deed) return ['warn', deed.warn];
  if ('sleepMs' in deed) return ['sleep', `${deed.sleepMs}ms`];
  if ('ignore' in deed) return ['ignore', deed.ignore];
  return ['exit', String(deed.exit)];
}
