import { runLoop } from '../../lib/loop.ts';
import { createWake } from '../../lib/wake.ts';
import type { HostContext } from '../context.ts';
import { housekeeping } from './housekeeping.ts';
import { placeTasks } from './place.ts';
import { newJudgeMemory, watchNodes } from './watch-nodes.ts';

const judgeEveryMs = 1000;
const placeEveryMs = 5000;
const tidyEveryMs = 60_000;
const retryMs = 500;

/** The Host's loops: placement, judging of silent nodes, retention. Ends when the signal aborts. */
export async function runReconcile(ctx: HostContext, signal: AbortSignal): Promise<void> {
  const { clock, log } = ctx;
  const memory = newJudgeMemory(ctx);
  const placementSeconds = ctx.metrics.histogram('weir_placement_seconds', 'Time of a placement pass.', {
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
  });
  await Promise.all([
    runLoop({ name: 'place', clock, log, wake: ctx.wakes.reconcile, intervalMs: placeEveryMs, retryMs }, async () => {
      const startMs = clock.monotonic();
      const againMs = await placeTasks(ctx);
      placementSeconds.observe((clock.monotonic() - startMs) / 1000);
      return againMs;
    }, signal),
    runLoop(
      { name: 'judge', clock, log, wake: createWake(), intervalMs: judgeEveryMs, retryMs },
      () => watchNodes(ctx, memory),
      signal,
    ),
    runLoop(
      { name: 'housekeeping', clock, log, wake: createWake(), intervalMs: tidyEveryMs, retryMs: tidyEveryMs },
      () => housekeeping(ctx),
      signal,
    ),
  ]);
}
