import { createBackoff } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/crypto.ts';
import type { Api } from '../client/api.ts';
import { type EventQuery, type ReadEvent, readEvents } from '../client/events.ts';
import { type CliError, isPassing } from '../cli-error.ts';

interface Listening {
  api: Api;
  clock: Clock;
  random: Random;
  query: EventQuery;
  /** The Host listens for us, at first or again: what happened before has to be looked up. */
  onOpen?: () => void;
  onEvent(event: ReadEvent): Promise<void> | void;
  onTrouble?: (error: CliError) => void;
}

/**
 * Hands on events until the signal aborts, each once and in order; a cut connection is made again from the last one.
 * @throws CliError when the Host refuses, and when it is away at the first try.
 */
export async function listen(options: Listening, signal: AbortSignal): Promise<never> {
  const { api, query, clock } = options;
  const backoff = createBackoff({ firstMs: 200, longestMs: 5000, random: options.random.fraction });
  let since = query.since;
  let opened = false;
  for (;;) {
    try {
      const onOpen = (): void => {
        opened = true;
        backoff.reset();
        options.onOpen?.();
      };
      for await (const event of readEvents(api, { ...query, since, onOpen }, signal)) {
        await options.onEvent(event);
        since = event.seq ?? since;
      }
    } catch (error) {
      if (!isPassing(error) || !opened) throw error;
      options.onTrouble?.(error);
    }
    await clock.sleep(backoff.nextMs(), signal);
  }
}
