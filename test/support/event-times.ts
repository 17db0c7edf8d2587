import { systemClock } from '../../src/lib/clock.ts';
import type { Served } from './weir-lab.ts';

/** When events of tasks reached this process, by the monotonic clock, ms. */
export interface EventTimes extends AsyncDisposable {
  /** Waits for an event that has not come yet. */
  of(task: string, type: string): Promise<number>;
  seen(task: string, type: string): number | null;
}

/** Follows the Host's events from now on. */
export async function followEvents({ api }: Served): Promise<EventTimes> {
  const stop = new AbortController();
  const times = new Map<string, number>();
  const checks = new Set<() => void>();
  const stream = await api.stream('/events', stop.signal);
  const reading = (async () => {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      const nowMs = systemClock.monotonic();
      text += decoder.decode(chunk, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) noteBlock(times, block, nowMs);
      for (const check of checks) check();
    }
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  const seen = (task: string, type: string): number | null => times.get(`${task} ${type}`) ?? null;
  return {
    seen,
    of: (task, type) =>
      new Promise((resolve) => {
        const check = (): void => {
          const atMs = seen(task, type);
          if (atMs === null) return;
          checks.delete(check);
          resolve(atMs);
        };
        checks.add(check);
        check();
      }),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await reading;
    },
  };
}

function noteBlock(times: Map<string, number>, block: string, nowMs: number): void {
  const data = block.split('\n').find((line) => line.startsWith('data:'));
  if (data === undefined) return;
  const event = JSON.parse(data.slice('data:'.length)) as { type?: string; subject?: { id: string } };
  const key = `${event.subject?.id} ${event.type}`;
  if (!times.has(key)) times.set(key, nowMs);
}
