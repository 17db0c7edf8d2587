import { once } from 'node:events';
import { EventEmitter } from 'node:events';
import * as v from 'valibot';
import { eventSchema, type WeirEvent } from '../../src/protocol/event.ts';

/** A stream of server-sent events that is read as it comes. */
export interface EventReader extends AsyncDisposable {
  /** Everything so far. */
  events: WeirEvent[];
  /** Resolves when so many have come. Rejects when the stream ends before. */
  until(count: number): Promise<WeirEvent[]>;
  /** Resolves when the stream has ended. */
  ended: Promise<void>;
}

/** Reads the answer of `/api/v1/events`; checks that `id` and `event` are those of the data. */
export function readEvents(response: Response): EventReader {
  if (response.status !== 200 || response.body === null) throw new Error(`no stream: ${response.status}`);
  const reader = response.body.getReader();
  const events: WeirEvent[] = [];
  const news = new EventEmitter();
  let over = false;
  const pump = async (): Promise<void> => {
    const decoder = new TextDecoder();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
      if (done) break;
      const blocks = (rest + decoder.decode(value, { stream: true })).split('\n\n');
      rest = blocks.pop() ?? '';
      events.push(...blocks.flatMap(parseBlock));
      news.emit('news');
    }
    over = true;
    news.emit('news');
  };
  const ended = pump();
  return {
    events,
    ended,
    async until(count) {
      while (events.length < count) {
        if (over) throw new Error(`the stream ended after ${events.length} of ${count} events`);
        await once(news, 'news');
      }
      return events.slice(0, count);
    },
    async [Symbol.asyncDispose]() {
      await reader.cancel();
      await ended;
    },
  };
}

function parseBlock(block: string): WeirEvent[] {
  const fields = new Map(
    block
      .split('\n')
      .filter((line) => !line.startsWith(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const data = fields.get('data');
  if (data === undefined) return [];
  const event = v.parse(eventSchema, JSON.parse(data));
  if (fields.get('id') !== String(event.seq) || fields.get('event') !== event.type)
    throw new Error(`a block that is not of its event: ${block}`);
  return [event];
}
