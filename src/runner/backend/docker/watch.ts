import { createBackoff } from '../../../lib/backoff.ts';
import type { BackendEvent } from '../backend.ts';
import type { Channel } from '../channel.ts';
import { createChannel } from '../channel.ts';
import { judgeDeath } from './end.ts';
import type { ContainerEvent } from './event-stream.ts';
import { containerEvents } from './event-stream.ts';
import { containerName } from './identity.ts';
import type { DockerParts } from './parts.ts';

const mostWaiting = 10_000;

/** Events of ours over engine restarts; ends, without an error, when the signal aborts. */
export async function* watchContainers(parts: DockerParts, signal: AbortSignal): AsyncGenerator<BackendEvent> {
  const channel = createChannel<BackendEvent>({ most: mostWaiting, overflow: { kind: 'relist' } });
  const left = new AbortController();
  const either = AbortSignal.any([signal, left.signal]);
  const pumping = pump(parts, channel, either).finally(() => channel.close());
  try {
    yield* channel.read();
    await pumping;
  } finally {
    left.abort(new Error('nobody watches any more'));
    await pumping;
  }
}

async function pump(parts: DockerParts, channel: Channel<BackendEvent>, signal: AbortSignal): Promise<void> {
  const backoff = createBackoff({ firstMs: 100, longestMs: 2000, random: () => 1 });
  const cursor: Cursor = { since: null };
  while (!signal.aborted) {
    try {
      await follow(parts, { channel, cursor, onConnect: backoff.reset }, signal);
    } catch (error) {
      if (signal.aborted) return;
      parts.options.log.debug({ err: error }, 'the event stream of the engine broke');
    }
    parts.life.lost();
    await parts.options.clock.sleep(backoff.nextMs(), signal).catch(() => undefined);
  }
}

/** Time of the last event that was taken, in ns. */
interface Cursor {
  since: bigint | null;
}

/** Hands on the events of one connection, until it breaks. */
async function follow(
  parts: DockerParts,
  to: { channel: Channel<BackendEvent>; cursor: Cursor; onConnect: () => void },
  signal: AbortSignal,
): Promise<void> {
  for await (const event of containerEvents(parts, to.cursor.since, signal)) {
    if (event === 'connected') to.onConnect();
    else to.cursor.since = event.atNano;
    handle(parts, { channel: to.channel, event }, signal);
  }
}

interface Arrival {
  channel: Channel<BackendEvent>;
  event: ContainerEvent | 'connected';
}

interface ContainerArrival extends Arrival {
  event: ContainerEvent;
}

function handle(parts: DockerParts, arrival: Arrival, signal: AbortSignal): void {
  const { channel, event } = arrival;
  if (event === 'connected') {
    parts.life.found();
    channel.push({ kind: 'relist' });
    return;
  }
  const { ref } = event;
  switch (event.action) {
    case 'start':
    case 'unpause':
      channel.push({ kind: 'changed', ref, phase: 'running' });
      return;
    case 'pause':
      channel.push({ kind: 'changed', ref, phase: 'paused' });
      return;
    case 'oom':
      parts.holdings.oomSeen.add(containerName(ref));
      parts.holdings.sign(ref);
      return;
    case 'die':
      publishEnd(parts, { channel, event }, signal);
      return;
    case 'destroy':
      publishRemoval(parts, { channel, event });
      return;
    default:
  }
}

function publishEnd(parts: DockerParts, { channel, event }: ContainerArrival, signal: AbortSignal): void {
  const { ref, exitCode, atMs } = event;
  const name = containerName(ref);
  const { holdings } = parts;
  if (exitCode === null) {
    channel.push({ kind: 'relist' });
    return;
  }
  const judging = judgeDeath(parts, { ref, exitCode, atMs }, signal);
  holdings.judging.set(name, judging);
  void judging
    .then(
      (end) => {
        holdings.ends.set(name, end);
        channel.push({ kind: 'ended', ref, end });
      },
      // The engine went away while it was asked; the list will tell.
      () => channel.push({ kind: 'relist' }),
    )
    .finally(() => {
      holdings.judging.delete(name);
      holdings.sign(ref);
    });
}

/** Behind the end, which a 137 may hold back. */
function publishRemoval(parts: DockerParts, { channel, event }: ContainerArrival): void {
  const { holdings } = parts;
  const tell = (): void => {
    holdings.forget(event.ref);
    channel.push({ kind: 'removed', ref: event.ref });
    holdings.sign(event.ref);
  };
  const judging = holdings.judging.get(containerName(event.ref));
  if (judging === undefined) tell();
  else void judging.then(tell, tell);
}
