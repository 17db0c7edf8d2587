import { isAbort } from '../../lib/abort.ts';
import { createBackoff } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Hashes, Random } from '../../lib/crypto.ts';
import type { Logger } from '../../lib/logger.ts';
import type { CapacityReport, Load } from '../../protocol/node-report.ts';
import type { SyncAnswer, SyncRequest } from '../../protocol/sync.ts';
import { protocolVersion } from '../../protocol/version.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';
import type { HostClient } from './host-client.ts';

export interface SyncOptions {
  client: HostClient;
  reconciler: Pick<Reconciler, 'workloads' | 'news'>;
  clock: Clock;
  hashes: Hashes;
  random: Random;
  log: Logger;
  boot: string;
  addresses: SyncRequest['addresses'];
  /** What the machine has and how busy it is, without a long wait: a report of work goes with it. */
  capacity: (signal: AbortSignal) => Promise<CapacityReport>;
  load: (signal: AbortSignal) => Promise<Load>;
}

const firstRetryMs = 250;
const longestRetryMs = 10_000;
/** What the machine has is asked for so often; it is sent when it changed. */
const lookEveryMs = 10_000;
/** How busy it is is sent so often while something runs; else when a held call is over. */
const loadEveryMs = 9000;
/** A call is held no longer while something runs. */
const busyHoldMs = 10_000;
/** A call that is not answered so long after its hold is given up: the line is dead. */
const answerWithinMs = 15_000;
/** Calls that bring nothing are made at most so often. */
const idleEveryMs = 500;
/** Everything is told at most so often: where the two sides cannot agree, they ask no more of each other than that. */
const fullEveryMs = 1000;

interface State {
  epoch: number;
  generation: number;
  seq: number;
  wantFull: boolean;
  /** When everything was told last, by the monotonic clock. */
  fullAtMs: number;
  capacity: { sent: string; lookedMs: number };
  loadSentMs: number;
}

/** Tells the Host what is observed and takes what is desired, until the signal aborts. */
export async function runSync(options: SyncOptions, signal: AbortSignal): Promise<void> {
  const backoff = createBackoff({
    firstMs: firstRetryMs,
    longestMs: longestRetryMs,
    random: () => options.random.fraction(),
  });
  const state: State = {
    epoch: 0,
    generation: 0,
    seq: 0,
    wantFull: true,
    fullAtMs: -Infinity,
    capacity: { sent: '', lookedMs: -Infinity },
    loadSentMs: -Infinity,
  };
  let reachable = true;
  while (!signal.aborted) {
    try {
      const begunMs = options.clock.monotonic();
      const ended = await turn(options, state, signal);
      backoff.reset();
      if (!reachable) options.log.info({}, 'the Host answers again');
      reachable = true;
      if (ended === 'idle') await restSince(options, begunMs, signal);
      if (ended === 'answer' && state.wantFull)
        await options.clock.sleep(state.fullAtMs + fullEveryMs - options.clock.monotonic(), signal);
    } catch (error) {
      if (isAbort(error, signal)) return;
      if (reachable) options.log.warn({ err: error }, 'the Host does not take reports; work goes on and is told later');
      reachable = false;
      state.wantFull = true;
      state.capacity.sent = '';
      await options.clock.sleep(backoff.nextMs(), signal).catch(() => undefined);
    }
  }
}

/** A Host that holds no calls (one in a worker) is asked every so often, or when there is news for it. */
async function restSince(options: SyncOptions, begunMs: number, signal: AbortSignal): Promise<void> {
  const restMs = begunMs + idleEveryMs - options.clock.monotonic();
  if (restMs <= 0) return;
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  try {
    await Promise.race([options.clock.sleep(restMs, either), waitForNews(options, either)]);
  } finally {
    over.abort();
  }
}

/** One call. It is left to its end when there is news meanwhile: the next one takes its place at the Host. */
async function turn(options: SyncOptions, state: State, signal: AbortSignal): Promise<'answer' | 'idle' | 'news'> {
  const settled = new AbortController();
  const either = AbortSignal.any([signal, settled.signal]);
  const request = await buildRequest(options, state, signal);
  const interrupted = request.changes.length === 0 ? waitForNews(options, either) : new Promise<never>(() => undefined);
  interrupted.catch(() => undefined);
  const answered = send(options, request, signal).then((answer) => {
    const told = take(options, state, answer);
    return told ? ('answer' as const) : ('idle' as const);
  });
  try {
    const first = await Promise.race([answered, interrupted]);
    // The held call is answered as superseded in a moment; what it may still bring is taken, its failure is the next one's.
    if (first === 'news') answered.catch(() => undefined);
    else if (request.capacity) state.capacity.sent = capacityText(request.capacity);
    return first;
  } finally {
    settled.abort();
  }
}

async function waitForNews({ reconciler }: SyncOptions, signal: AbortSignal): Promise<'news'> {
  do await reconciler.news.wait(signal);
  while (!reconciler.workloads.hasUnsent());
  return 'news';
}

async function send(options: SyncOptions, request: SyncRequest, signal: AbortSignal): Promise<SyncAnswer> {
  const settled = new AbortController();
  const late = new AbortController();
  options.clock.sleep(request.holdMs + answerWithinMs, AbortSignal.any([signal, settled.signal])).then(
    () => late.abort(new Error('the Host did not answer in time')),
    () => undefined,
  );
  try {
    return await options.client.sync(request, AbortSignal.any([signal, late.signal]));
  } finally {
    settled.abort();
  }
}

async function buildRequest(options: SyncOptions, state: State, signal: AbortSignal): Promise<SyncRequest> {
  const capacity = await changedCapacity(options, state, signal);
  const load = await dueLoad(options, state, { always: capacity !== undefined, signal });
  // From here to the call nothing is awaited: the report is of one moment.
  const { changes, digestText } = options.reconciler.workloads.report({ full: state.wantFull });
  state.seq += 1;
  const { syncHoldMs } = options.reconciler.workloads.settings;
  if (state.wantFull) state.fullAtMs = options.clock.monotonic();
  return {
    protocol: protocolVersion,
    epoch: state.epoch,
    boot: options.boot,
    seq: state.seq,
    appliedGeneration: state.generation,
    digest: options.hashes.sha256(digestText),
    full: state.wantFull,
    changes,
    ...(capacity ? { capacity } : {}),
    ...(load ? { load } : {}),
    addresses: options.addresses,
    holdMs: isBusy(options) ? Math.min(busyHoldMs, syncHoldMs) : syncHoldMs,
  };
}

function isBusy({ reconciler }: SyncOptions): boolean {
  return [...reconciler.workloads.all()].some(({ phase }) => phase === 'running' || phase === 'paused');
}

async function dueLoad(
  options: SyncOptions,
  state: State,
  { always, signal }: { always: boolean; signal: AbortSignal },
): Promise<Load | undefined> {
  const nowMs = options.clock.monotonic();
  if (!always && nowMs - state.loadSentMs < loadEveryMs) return undefined;
  state.loadSentMs = nowMs;
  return options.load(signal);
}

async function changedCapacity(
  options: SyncOptions,
  { capacity }: State,
  signal: AbortSignal,
): Promise<CapacityReport | undefined> {
  const nowMs = options.clock.monotonic();
  if (capacity.sent !== '' && nowMs - capacity.lookedMs < lookEveryMs) return undefined;
  const report = await options.capacity(signal);
  capacity.lookedMs = nowMs;
  return capacityText(report) === capacity.sent ? undefined : report;
}

function capacityText({ load: _load, ...lasting }: CapacityReport): string {
  return JSON.stringify(lasting);
}

/**
 * An older generation of the same epoch is an answer that was overtaken: it changes nothing. Answers whether anything
 * was in it.
 * @throws Error when the answer is of an older epoch: nothing of it counts
 */
function take({ reconciler }: SyncOptions, state: State, answer: SyncAnswer): boolean {
  if (answer.epoch < state.epoch)
    throw new Error(`the Host is in epoch ${answer.epoch}, behind ${state.epoch}: an old copy of it answers`);
  reconciler.workloads.markHeard();
  for (const ack of answer.acked) reconciler.workloads.applyAck(ack, answer.epoch);
  state.wantFull = answer.wantFull;
  const newer = answer.epoch > state.epoch || answer.generation > state.generation;
  if (!newer || !answer.desired) return answer.acked.length > 0 || answer.wantFull;
  state.epoch = answer.epoch;
  state.generation = answer.generation;
  reconciler.workloads.applyDesired(answer.desired, answer.epoch);
  return true;
}
