import type { BackendEnd, WorkloadRef } from '../backend.ts';
import type { CgroupUsage } from './cgroup.ts';
import { readUsage } from './cgroup.ts';
import type { Container } from './container.ts';
import { findContainer } from './container.ts';
import type { Held } from './holdings.ts';
import { heldOf } from './holdings.ts';
import { assertEngineStays } from './engine-leaving.ts';
import { readExecFailure } from './exec-failure.ts';
import { containerName } from './identity.ts';
import type { EndFacts } from './judge-end.ts';
import { isSettled, judgeEnd, looksStopped } from './judge-end.ts';
import type { DockerParts } from './parts.ts';
import { exitOfSignal } from './signals.ts';

/** How long a 137 waits for what comes behind `die`: 10 to 78 ms were measured. */
const holdBackMs = 150;

/** What the `die` event says. */
export interface Death {
  ref: WorkloadRef;
  exitCode: number;
  atMs: number;
}

/** The end of an attempt, `null` while it has none, `absent` without a container of ours. */
export async function endOf(
  parts: DockerParts,
  ref: WorkloadRef,
  signal: AbortSignal,
): Promise<BackendEnd | 'absent' | null> {
  const name = containerName(ref);
  const judging = parts.holdings.judging.get(name);
  // A verdict that failed is found anew below.
  await judging?.catch(() => undefined);
  const container = await findContainer(parts, ref, signal);
  if (container === null) return 'absent';
  parts.holdings.keep(ref, heldOf(container));
  if (container.phase !== 'ended') return null;
  const known = parts.holdings.ends.get(name);
  if (known !== undefined) return known;
  const end = await verdict(parts, await gather(parts, container, signal), signal);
  parts.holdings.ends.set(name, end);
  return end;
}

/** The end as the `die` event tells it, at once unless a 137 may yet turn out to be `oom`. */
export async function judgeDeath(parts: DockerParts, death: Death, signal: AbortSignal): Promise<BackendEnd> {
  const held = await recordOf(parts, death, signal);
  const known = {
    exitCode: death.exitCode,
    endedAtMs: death.atMs,
    startedAtMs: held?.startedAtMs ?? null,
    limitBytes: held?.limitBytes ?? null,
    stopSignal: held?.stopSignal ?? null,
    image: held?.image ?? '',
    logPath: held?.logPath ?? '',
    oomKilled: false,
  };
  const first = await gather(parts, { ...known, ref: death.ref }, signal);
  if (isSettled(first)) return verdict(parts, first, signal);
  const oomKilled = await laterSign(parts, death.ref, signal);
  return verdict(parts, await gather(parts, { ...known, ref: death.ref, oomKilled }, signal), signal);
}

/** An end that an engine going down may have made is judged once it is back, when it is known to have been away. */
async function verdict(parts: DockerParts, facts: EndFacts, signal: AbortSignal): Promise<BackendEnd> {
  const end = judgeEnd(facts);
  if (looksStopped(facts) && !end.oom && !end.engineRestart) await assertEngineStays(parts.options, signal);
  return end;
}

/** Exit codes from here on are not always the program's own: more must be known to tell whose. */
const firstDoubtful = 126;

/**
 * What is known of a container that died. It is asked for only where the verdict needs it: the engine answers
 * nothing about a container whose network it is taking down, some 55 ms.
 */
async function recordOf(parts: DockerParts, death: Death, signal: AbortSignal): Promise<Held | null> {
  const held = parts.holdings.get(death.ref);
  if (held !== undefined && (held.id !== '' || death.exitCode < firstDoubtful)) return held;
  return findContainer(parts, death.ref, signal);
}

/** Waits for an `oom` event or the engine's own record, at most `holdBackMs`; the answer is that record. */
async function laterSign(parts: DockerParts, ref: WorkloadRef, signal: AbortSignal): Promise<boolean> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  let oomKilled = false;
  let stopListening = (): void => undefined;
  const event = new Promise<void>((resolve) => {
    stopListening = parts.holdings.onSign(ref, resolve);
  });
  const record = findContainer(parts, ref, either).then(async (container) => {
    oomKilled = container?.oomKilled ?? false;
    // An event may still come: of the two only the time ends the wait.
    if (!oomKilled) await event;
  });
  try {
    await Promise.race([event, record.catch(() => event), parts.options.clock.sleep(holdBackMs, either)]);
  } finally {
    stopListening();
    over.abort();
  }
  return oomKilled;
}

type Known = Pick<
  Container,
  'ref' | 'exitCode' | 'startedAtMs' | 'endedAtMs' | 'limitBytes' | 'stopSignal' | 'oomKilled' | 'image' | 'logPath'
>;

async function gather(parts: DockerParts, known: Known, signal: AbortSignal): Promise<EndFacts> {
  const name = containerName(known.ref);
  const [usage, sent, engine, startFailure] = await Promise.all([
    usageOf(parts, known.ref, signal),
    parts.marks.sent(name),
    parts.life.facts(),
    readExecFailure(known),
  ]);
  return {
    exitCode: known.exitCode,
    startedAtMs: known.startedAtMs,
    endedAtMs: known.endedAtMs,
    oomEvent: parts.holdings.oomSeen.has(name),
    oomKilled: known.oomKilled,
    killedByUs: sent.sigkill,
    signalledByUs: sent.anySignal,
    limitBytes: known.limitBytes,
    usage,
    stopExitCode: known.stopSignal === null ? null : exitOfSignal(known.stopSignal),
    startFailure,
    engine,
  };
}

async function usageOf(parts: DockerParts, ref: WorkloadRef, signal: AbortSignal): Promise<CgroupUsage> {
  const { layout } = await parts.life.about(signal);
  return readUsage(layout, ref);
}
