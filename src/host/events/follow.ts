import { isAbort } from '../../lib/abort.ts';
import type { WeirEvent } from '../../protocol/event.ts';
import type { HostContext } from '../context.ts';
import { readEvents, type EventFilter } from './queries.ts';

const pageSize = 500;

/**
 * Every event behind `since`, then each new one as it is committed, until the signal aborts. Reads the stored log, so
 * a slow reader holds nothing in memory.
 */
export async function* followEvents(
  ctx: Pick<HostContext, 'db' | 'wakes'>,
  { since, filter }: { since: number; filter: EventFilter },
  signal: AbortSignal,
): AsyncGenerator<WeirEvent> {
  let last = since;
  while (!signal.aborted) {
    const next = ctx.wakes.events.wait(signal);
    next.catch(() => undefined);
    for (;;) {
      const page = await readEvents(ctx.db, { since: last, limit: pageSize, filter });
      for (const event of page) {
        yield event;
        if (signal.aborted) return;
        last = event.seq;
      }
      if (page.length < pageSize) break;
    }
    try {
      await next;
    } catch (error) {
      if (isAbort(error, signal)) return;
      throw error;
    }
  }
}
