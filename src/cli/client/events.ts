import { eventSchema, type WeirEvent } from '../../protocol/event.ts';
import type { Api } from './api.ts';
import { lines } from './lines.ts';
import { read } from './read.ts';
import { serverEvents } from './sse.ts';

export interface EventQuery {
  /** Events behind this number; the newest on when absent. */
  since?: number | undefined;
  type?: string | undefined;
  subject?: string | undefined;
}

/** An event as it came (`raw`), and as this version reads it; `null` when it is of a kind that it does not know. */
export interface ReadEvent {
  seq: number | null;
  raw: unknown;
  event: WeirEvent | null;
}

/** One connection's worth of events. `onOpen` is called when the Host has begun to listen for us. */
export async function* readEvents(
  api: Api,
  query: EventQuery & { onOpen?: () => void },
  signal: AbortSignal,
): AsyncGenerator<ReadEvent> {
  const chunks = await api.open(
    {
      path: '/events',
      query: { since: query.since, type: query.type, subject: query.subject },
      headers: {
        accept: 'text/event-stream, application/problem+json',
        ...(query.since === undefined ? {} : { 'last-event-id': String(query.since) }),
      },
    },
    signal,
  );
  query.onOpen?.();
  for await (const one of serverEvents(lines(chunks))) {
    const raw = parseJson(one.data);
    const seq = one.id !== null && /^\d+$/.test(one.id) ? Number(one.id) : null;
    yield { seq, raw, event: understood(raw) };
  }
}

function understood(raw: unknown): WeirEvent | null {
  try {
    return read(eventSchema, raw);
  } catch {
    return null;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
