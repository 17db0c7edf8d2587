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
    for await (const event of readOn(ctx, last, filter)) {
      yield event;
      last = event.seq;
    }
    try {
      await next;
    } catch (error) {
      if (isAbort(error, signal)) return;
      throw error;
    }
  }
}

async function* readOn(ctx: Pick<HostContext, 'db'>, since: number, filter: EventFilter): AsyncGenerator<WeirEvent> {
  for (let last = since; ;) {
    const page = await readEvents(ctx.db, { since: last, limit: pageSize, filter });
    yield* page;
    last = page.at(-1)?.seq ?? last;
    if (page.length < pageSize) return;
  }
}
