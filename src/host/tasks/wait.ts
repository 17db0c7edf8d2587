import { isAbort } from '../../lib/abort.ts';
import { isEnded } from '../../protocol/task-state.ts';
import type { HostContext } from '../context.ts';
import { findTask, readTask } from './queries.ts';
import type { TaskRow } from './view.ts';

/**
 * The task when it has ended, or as it is when the time is over or the caller has gone.
 * @throws ProblemError `not_found`
 */
export async function waitForTask(
  ctx: Pick<HostContext, 'db' | 'wakes' | 'clock' | 'stopping'>,
  { ref, timeoutMs }: { ref: string; timeoutMs: number },
  signal: AbortSignal,
): Promise<TaskRow> {
  let row = await findTask(ctx.db, ref);
  const over = new AbortController();
  const until = AbortSignal.any([signal, ctx.stopping, over.signal]);
  ctx.clock.sleep(timeoutMs, until).then(
    () => over.abort(),
    () => undefined,
  );
  while (!isEnded(row.state) && !until.aborted) {
    const changed = ctx.wakes.events.wait(until);
    changed.catch(() => undefined);
    row = (await readTask(ctx.db, row.id)) ?? row;
    if (isEnded(row.state)) break;
    try {
      await changed;
    } catch (error) {
      if (!isAbort(error, until)) throw error;
    }
  }
  over.abort();
  return row;
}
