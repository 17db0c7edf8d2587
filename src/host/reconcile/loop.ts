import { runLoop } from '../../lib/loop.ts';
import type { Histogram } from '../../lib/metrics.ts';
import { createWake } from '../../lib/wake.ts';
import type { HostContext } from '../context.ts';
import { housekeeping } from './housekeeping.ts';
import { placeTasks } from './place.ts';
import { requeueLost } from './requeue.ts';
import { newJudgeMemory, watchNodes } from './watch-nodes.ts';

const judgeEveryMs = 1000;
const placeEveryMs = 5000;
const tidyEveryMs = 60_000;
const requeueEveryMs = 10_000;
const retryMs = 500;
const longPassMs = 5;
const longestRestMs = 500;

/**
 * The Host's loops, to be begun as often as it may lead: placement, judging of silent nodes, retention. Each run ends
 * when its signal aborts.
 */
export function createReconcile({
  metrics,
}: Pick<HostContext, 'metrics'>): (ctx: HostContext, signal: AbortSignal) => Promise<void> {
  const placementSeconds = metrics.histogram('weir_placement_seconds', 'Time of a placement pass.', {
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
  });
  return (ctx, signal) => runReconcile(ctx, placementSeconds, signal);
}

async function runReconcile(ctx: HostContext, placementSeconds: Histogram, signal: AbortSignal): Promise<void> {
  const { clock, log } = ctx;
  const memory = newJudgeMemory(ctx);
  await Promise.all([
    runLoop(
      { name: 'place', clock, log, wake: ctx.wakes.reconcile, intervalMs: placeEveryMs, retryMs },
      async () => {
        // Who woke the loop is answered first: a pass holds the thread.
        await new Promise<void>((resolve) => clock.defer(resolve));
        const startMs = clock.monotonic();
        const againMs = await placeTasks(ctx);
        const tookMs = clock.monotonic() - startMs;
        placementSeconds.observe(tookMs / 1000);
        // Over a long queue, passes on end would leave nothing of the thread to requests.
        if (tookMs >= longPassMs) await clock.sleep(Math.min(2 * tookMs, longestRestMs), signal);
        return againMs;
      },
      signal,
    ),
    runLoop(
      { name: 'judge', clock, log, wake: createWake(), intervalMs: judgeEveryMs, retryMs },
      () => watchNodes(ctx, memory),
      signal,
    ),
    runLoop(
      { name: 'requeue', clock, log, wake: createWake(), intervalMs: requeueEveryMs, retryMs },
      () => requeueLost(ctx, memory.countsFromMs),
      signal,
    ),
    runLoop(
      { name: 'housekeeping', clock, log, wake: createWake(), intervalMs: tidyEveryMs, retryMs: tidyEveryMs },
      () => housekeeping(ctx),
      signal,
    ),
  ]);
}
