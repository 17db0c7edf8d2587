import type { BackendEnd } from '../backend.ts';
import type { CgroupUsage } from './cgroup.ts';
import { signalOfExit } from './signals.ts';

/** All that is known of the end of a container. Times are this machine's wall clock, ms. */
export interface EndFacts {
  exitCode: number;
  startedAtMs: number | null;
  endedAtMs: number | null;
  oomEvent: boolean;
  oomKilled: boolean;
  /** We sent it SIGKILL. */
  killedByUs: boolean;
  /** We sent it a signal, SIGKILL or another. */
  signalledByUs: boolean;
  /** `null`: no limit. */
  limitBytes: number | null;
  usage: CgroupUsage;
  /** Exit code of its stop signal, which an engine that shuts down sends; `null` when not known. */
  stopExitCode: number | null;
  startFailure: string | null;
  engine: EngineFacts;
}

/** What is known of the engine's own life. */
export interface EngineFacts {
  /** When the engine that answers now was started; `null` when not known. */
  startedAtMs: number | null;
  /** Times in which the event stream was down. */
  gaps: readonly { fromMs: number; toMs: number }[];
}

const killed = 137;
/** What the engine writes for a container that it finds dead when it starts. */
const unknownExit = 255;
const pageBytes = 4096;
/** An engine that shuts down gives its containers this long, and ends its event stream behind the last of them. */
const shutdownMs = 15_000;

/** Whether later facts (an `oom` event that comes behind `die`) could still change the verdict. */
export function isSettled(facts: EndFacts): boolean {
  return facts.exitCode !== killed || facts.killedByUs || judgeOom(facts);
}

/**
 * `oom` is said because the kernel or the engine said so. Of 540 real kills 20 came with no event before `die` and
 * with `OOMKilled: false` for good: there the parent group's peak decides, unless the kill was ours. A group that
 * reached its limit by page cache and was then killed by another hand than ours looks the same under v1.
 */
export function judgeOom(facts: EndFacts): boolean {
  if (facts.exitCode === 0) return false;
  if (facts.oomEvent || facts.oomKilled) return true;
  if (facts.exitCode !== killed || facts.killedByUs) return false;
  return facts.usage.oomKills === null ? reachedLimit(facts) : facts.usage.oomKills > 0;
}

function reachedLimit(facts: EndFacts): boolean {
  const { limitBytes, usage } = facts;
  if (limitBytes === null || usage.peakBytes === null) return false;
  // The kernel counts whole pages.
  return usage.peakBytes >= limitBytes - (limitBytes % pageBytes);
}

/** Whether it ended as an engine leaves it that goes down, and not by a signal of ours. */
export function looksStopped(facts: EndFacts): boolean {
  return !facts.signalledByUs && [killed, unknownExit, facts.stopExitCode].includes(facts.exitCode);
}

/**
 * Whether the engine took the container along. Known: it was found running by an engine that started later, or it
 * ended while our event stream was down or about to end, in both cases with a code that the engine's own stop leaves
 * and by no signal of ours. Not known, and so not said: an engine that stopped and came back while nobody watched, and
 * had stopped the container in good order before; that end is told as the signal it was.
 */
export function judgeEngineRestart(facts: EndFacts): boolean {
  const { engine, startedAtMs, endedAtMs } = facts;
  if (!looksStopped(facts) || startedAtMs === null || endedAtMs === null) return false;
  if (engine.startedAtMs !== null && startedAtMs < engine.startedAtMs && endedAtMs >= engine.startedAtMs) return true;
  return engine.gaps.some((gap) => endedAtMs >= gap.fromMs - shutdownMs && endedAtMs <= gap.toMs);
}

/** The end of a container, from its facts alone. */
export function judgeEnd(facts: EndFacts): BackendEnd {
  const oom = judgeOom(facts);
  const engineRestart = !oom && judgeEngineRestart(facts);
  // 255 is then the engine's invention: nobody saw the process end.
  const exitCode = engineRestart && facts.exitCode === unknownExit ? null : facts.exitCode;
  return {
    exitCode,
    signal: exitCode === null ? null : signalOfExit(exitCode),
    oom,
    engineRestart,
    startFailure: facts.startFailure,
    evidence: {
      oomEvent: facts.oomEvent,
      oomKilled: facts.oomKilled || (facts.usage.oomKills ?? 0) > 0,
      peakBytes: facts.usage.peakBytes,
      limitBytes: facts.limitBytes,
    },
    memoryPeakBytes: facts.usage.peakBytes,
    cpuTimeMs: facts.usage.cpuTimeMs,
    endedAtMs: facts.endedAtMs,
  };
}
