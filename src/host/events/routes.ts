import { Hono, type Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import * as v from 'valibot';
import { eventSchema, eventTypes } from '../../protocol/event.ts';
import { ProblemError } from '../../protocol/problem.ts';
import { strict } from '../../protocol/schema.ts';
import { requires, type AccessEnv } from '../auth/access.ts';
import type { HostContext } from '../context.ts';
import { describe } from '../http/describe.ts';
import { countParameter, reference } from '../http/parameters.ts';
import { validated } from '../http/validate.ts';
import { followEvents } from './follow.ts';
import { firstEventSeq, lastEventSeq } from './queries.ts';

const types = [...eventTypes, 'task.*', 'node.*'] as const;

const query = strict({
  since: v.optional(countParameter),
  type: v.optional(v.picklist(types, `must be one of ${types.join(', ')}`)),
  subject: v.optional(reference),
});

/** A silent stream is pinged so often, so that proxies and clients keep it open. */
const pingMs = 15_000;

/** `/api/v1/events`: what happens, as server-sent events with resume. */
export function eventRoutes(ctx: HostContext) {
  const watchers = countWatchers(ctx);
  return new Hono<AccessEnv>().get(
    '/',
    describe({
      summary: 'Follow events (server-sent events)',
      description:
        'Each has `id: seq` and `event: type`; the data is one event. Resumes behind `Last-Event-ID` or `since`; without either it begins now. 410 when those events are no longer kept.',
      tag: 'events',
      answer: {
        status: 200,
        description: 'The stream; the schema is of one event',
        schema: eventSchema,
        media: 'text/event-stream',
      },
      errors: [410, 422],
    }),
    requires('events:read'),
    validated('query', query),
    async (c) => stream(ctx, c, { wanted: c.req.valid('query'), watchers }),
  );
}

interface Watching {
  wanted: v.InferOutput<typeof query>;
  watchers: Watchers;
}

interface Watchers {
  come(): void;
  go(): void;
}

function countWatchers({ metrics }: Pick<HostContext, 'metrics'>): Watchers {
  const gauge = metrics.gauge('weir_event_watchers', 'Event streams that are open.');
  let now = 0;
  const change = (by: number) => (): void => {
    now += by;
    gauge.set(now);
  };
  return { come: change(1), go: change(-1) };
}

async function stream(ctx: HostContext, c: Context<AccessEnv>, { wanted, watchers }: Watching): Promise<Response> {
  const since = await startOf(ctx, c.req.header('last-event-id'), wanted.since);
  c.header('X-Accel-Buffering', 'no');
  c.header('Cache-Control', 'no-store');
  return streamSSE(c, async (sse) => {
    const gone = new AbortController();
    sse.onAbort(() => gone.abort());
    const signal = AbortSignal.any([gone.signal, ctx.stopping]);
    await sse.write(': weir\n\n');
    const pings = ping(ctx, (text) => sse.write(text), signal);
    watchers.come();
    try {
      for await (const event of followEvents(ctx, { since, filter: wanted }, signal)) {
        await sse.writeSSE({ id: String(event.seq), event: event.type, data: JSON.stringify(event) });
      }
    } finally {
      watchers.go();
      gone.abort();
      await pings;
    }
  });
}

async function ping(ctx: HostContext, write: (text: string) => Promise<unknown>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await ctx.clock.sleep(pingMs, signal).catch(() => undefined);
    if (!signal.aborted) await write(': ping\n\n');
  }
}

async function startOf(ctx: HostContext, header: string | undefined, since: number | undefined): Promise<number> {
  const text = header?.trim();
  if (text !== undefined && !/^\d{1,15}$/.test(text)) {
    throw new ProblemError('invalid_field', 'header Last-Event-ID: must be the number of an event');
  }
  const last = await lastEventSeq(ctx.db);
  const start = text === undefined ? (since ?? last) : Number(text);
  const first = await firstEventSeq(ctx.db);
  if (first > 0 && start + 1 < first) {
    throw new ProblemError('gone', `events before ${first} are no longer kept`, {
      fix: 'read the list again and go on from its asOf',
    });
  }
  if (start > last) {
    throw new ProblemError('gone', `there is no event ${start} yet; the last is ${last}`, {
      fix: 'read the list again and go on from its asOf',
    });
  }
  return start;
}
