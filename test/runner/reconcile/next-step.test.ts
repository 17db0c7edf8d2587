import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StopOrder } from '../../../src/protocol/sync.ts';
import type { BackendEnd } from '../../../src/runner/backend/backend.ts';
import { nextStep, type Step } from '../../../src/runner/reconcile/next-step.ts';
import { newWorkload, type Phase, type Stopping, type Workload } from '../../../src/runner/reconcile/workload.ts';
import { assignment, refOf } from './room.ts';

const hostNowMs = 1_700_000_000_000;
const nowMs = 50_000;
const times = { hostNowMs, nowMs, orphanGraceMs: 600_000, unheardMs: 1000 };
const desired = assignment(1, 'exit 0', { timeLimitMs: 60_000, stopSignal: 'SIGINT', stopGraceMs: 5000 });
const gentle: StopOrder = { cause: 'killed_by', message: 'killed by ada', kill: false };
const force: StopOrder = { ...gentle, kill: true };
const died: BackendEnd = {
  exitCode: 0,
  signal: null,
  oom: false,
  engineRestart: false,
  startFailure: null,
  evidence: null,
  memoryPeakBytes: null,
  cpuTimeMs: null,
  endedAtMs: null,
};

function workload(change: Partial<Workload>): Workload {
  return { ...newWorkload(refOf(desired), 1), assignment: desired, ...change };
}

function stopping(change: Partial<Stopping> = {}): Stopping {
  return { order: gentle, told: false, signalledMs: null, killedMs: null, ...change };
}

function step(change: Partial<Workload>, busy = false): Step {
  return nextStep(workload(change), busy, times);
}

const running = { phase: 'running', startedAtMs: hostNowMs - 10_000 } as const;

describe('the next step of one that is desired', () => {
  it.each<[Phase, Step['do']]>([
    ['waiting', 'launch'],
    ['pulling', 'launch'],
    ['starting', 'launch'],
    ['running', 'nothing'],
    ['paused', 'nothing'],
    ['ended', 'nothing'],
  ])('in phase %s is %s', (phase, expected) => {
    expect(step({ phase }).do).toBe(expected);
  });

  it.each<[Phase, boolean, Step['do']]>([
    ['running', true, 'pause'],
    ['running', false, 'nothing'],
    ['paused', false, 'resume'],
    ['paused', true, 'nothing'],
    ['starting', true, 'launch'],
  ])('in phase %s, to be paused: %s, is %s', (phase, paused, expected) => {
    expect(step({ phase, assignment: { ...desired, paused } }).do).toBe(expected);
  });

  it('is nothing while an earlier one is under way', () => {
    for (const phase of ['waiting', 'pulling', 'starting', 'running', 'paused', 'ended'] as const) {
      expect(step({ phase, released: true }, true)).toEqual({ do: 'nothing', againMs: null });
    }
  });

  it('comes again when its time limit is reached', () => {
    expect(step(running)).toEqual({ do: 'nothing', againMs: 50_000 });
    expect(step({ ...running, phase: 'paused' })).toEqual({ do: 'nothing', againMs: 50_000 });
  });

  it('is to settle as soon as its process has ended, told to stop or not', () => {
    expect(step({ ...running, backendEnd: died })).toEqual({ do: 'settle' });
    expect(step({ ...running, backendEnd: 'absent', stopping: stopping() })).toEqual({ do: 'settle' });
    // The start call may still be under way.
    expect(step({ ...running, backendEnd: died }, true)).toEqual({ do: 'settle' });
  });

  it('is to clean up when the Host has its end, and only then', () => {
    expect(step({ phase: 'ended' }).do).toBe('nothing');
    expect(step({ phase: 'ended', released: true })).toEqual({ do: 'clean-up' });
    expect(step({ phase: 'ended', released: true, assignment: null, orphanSinceMs: 0 })).toEqual({ do: 'clean-up' });
  });
});

describe('the next step of one that is to stop', () => {
  it.each<[string, Partial<Workload>]>([
    ['the Host orders it', { ...running, assignment: { ...desired, stop: gentle } }],
    ['its time is over', { ...running, startedAtMs: hostNowMs - 60_000 }],
    ['its lease is over', { ...running, assignment: { ...desired, spec: { ...desired.spec, leaseMs: 1000 } } }],
    ['nobody has desired it for the grace', { ...running, assignment: null, orphanSinceMs: nowMs - 600_000 }],
  ])('begins when %s, also in the middle of a launch', (_, change) => {
    expect(step(change).do).toBe('begin-stop');
    expect(step(change, true).do).toBe('begin-stop');
  });

  it.each<[string, Partial<Workload>]>([
    ['one millisecond before its limit', { ...running, startedAtMs: hostNowMs - 59_999 }],
    [
      'one millisecond before its lease is over',
      { ...running, assignment: { ...desired, spec: { ...desired.spec, leaseMs: 1001 } } },
    ],
    [
      'one millisecond before the grace of an orphan is over',
      { ...running, assignment: null, orphanSinceMs: nowMs - 599_999 },
    ],
  ])('does not begin %s', (_, change) => {
    expect(step(change)).toEqual({ do: 'nothing', againMs: 1 });
  });

  it.each<Phase>(['waiting', 'pulling', 'starting'])('gives up what has not run in phase %s', (phase) => {
    expect(step({ phase, stopping: stopping() })).toEqual({ do: 'give-up' });
    expect(step({ phase, stopping: stopping() }, true).do).toBe('nothing');
  });

  it.each<[string, Partial<Workload>, Step]>([
    ['gets its own signal', { stopping: stopping() }, { do: 'signal', name: 'SIGINT' }],
    ['gets SIGTERM without a spec', { assignment: null, stopping: stopping() }, { do: 'signal', name: 'SIGTERM' }],
    ['is killed at once by force', { stopping: stopping({ order: force }) }, { do: 'unpause-and-kill' }],
    ['waits for its grace', { stopping: stopping({ signalledMs: nowMs - 1000 }) }, { do: 'nothing', againMs: 4000 }],
    [
      'is killed when the grace is over',
      { stopping: stopping({ signalledMs: nowMs - 5000 }) },
      { do: 'unpause-and-kill' },
    ],
    [
      'is killed at once when force comes later',
      { stopping: stopping({ order: force, signalledMs: nowMs - 1000 }) },
      { do: 'unpause-and-kill' },
    ],
    [
      'has 10 s of grace without a spec',
      { assignment: null, stopping: stopping({ signalledMs: nowMs - 9000 }) },
      { do: 'nothing', againMs: 1000 },
    ],
    [
      'is waited for behind SIGKILL',
      { stopping: stopping({ killedMs: nowMs - 4000 }) },
      { do: 'nothing', againMs: 6000 },
    ],
    ['is called stuck 10 s behind SIGKILL', { stopping: stopping({ killedMs: nowMs - 10_000 }) }, { do: 'mark-stuck' }],
    [
      'is killed again when it is stuck',
      { stuck: true, stopping: stopping({ killedMs: nowMs - 10_000 }) },
      { do: 'unpause-and-kill' },
    ],
  ])('%s', (_, change, expected) => {
    expect(step({ ...running, ...change })).toEqual(expected);
  });

  it('is killed when it is paused: it could not hear a signal', () => {
    expect(step({ ...running, phase: 'paused', stopping: stopping() })).toEqual({ do: 'unpause-and-kill' });
  });
});

describe('every step', () => {
  it('asks to be looked at again in a time that is not behind us, or never', () => {
    expect.hasAssertions();
    const phases = fc.constantFrom<Phase>('waiting', 'pulling', 'starting', 'running', 'paused', 'ended');
    const agoMs = fc.option(fc.integer({ min: 0, max: 1_000_000 }), { nil: null });
    fc.assert(
      fc.property(
        fc.record({ phase: phases, startedMs: agoMs, orphanMs: agoMs, signalledMs: agoMs, killedMs: agoMs }),
        (made) => {
          const since = (ago: number | null): number | null => (ago === null ? null : nowMs - ago);
          const found = step({
            phase: made.phase,
            startedAtMs: made.startedMs === null ? null : hostNowMs - made.startedMs,
            orphanSinceMs: since(made.orphanMs),
            stopping:
              made.signalledMs === null
                ? null
                : stopping({ signalledMs: since(made.signalledMs), killedMs: since(made.killedMs) }),
          });
          if (found.do === 'nothing') expect(found.againMs ?? 0).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
});
