import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EndFacts } from '../../../../src/runner/backend/docker/judge-end.ts';
import { isSettled, judgeEnd, judgeOom } from '../../../../src/runner/backend/docker/judge-end.ts';

const limitBytes = 64 * 1024 * 1024;

function facts(over: Partial<EndFacts> = {}): EndFacts {
  return {
    exitCode: 137,
    startedAtMs: 100_000,
    endedAtMs: 200_000,
    oomEvent: false,
    oomKilled: false,
    killedByUs: false,
    signalledByUs: false,
    limitBytes,
    usage: { peakBytes: 1024, cpuTimeMs: 5, oomKills: null },
    stopExitCode: 143,
    startFailure: null,
    engine: { startedAtMs: 50_000, gaps: [] },
    ...over,
  };
}

const atLimit = { peakBytes: limitBytes, cpuTimeMs: 5, oomKills: null };

describe('oom', () => {
  it.each<[string, Partial<EndFacts>, boolean]>([
    ['an oom event', { oomEvent: true }, true],
    ["the engine's record", { oomKilled: true }, true],
    ['an oom event of a child whose parent then failed', { exitCode: 1, oomEvent: true }, true],
    ['137 at the limit that nobody of us sent', { usage: atLimit }, true],
    ['137 at a limit that is no whole number of pages', { usage: atLimit, limitBytes: limitBytes + 100 }, true],
    ['137 that the group of v2 counted', { usage: { ...atLimit, oomKills: 1 } }, true],
    ['137 at the limit where v2 counted nothing', { usage: { ...atLimit, oomKills: 0 } }, false],
    ['137 at the limit that we sent', { usage: atLimit, killedByUs: true }, false],
    ['137 below the limit', {}, false],
    ['137 without a limit', { usage: atLimit, limitBytes: null }, false],
    ['137 where the group says nothing', { usage: { peakBytes: null, cpuTimeMs: null, oomKills: null } }, false],
    ['another exit at the limit', { exitCode: 1, usage: atLimit }, false],
    ["a child's oom that the task survived", { exitCode: 0, oomEvent: true, oomKilled: true }, false],
  ])('of %s', (_what, over, oom) => {
    expect(judgeOom(facts(over))).toBe(oom);
  });

  it('of a child is evidence of an exit 0', () => {
    const end = judgeEnd(facts({ exitCode: 0, oomKilled: true }));
    expect(end).toMatchObject({ exitCode: 0, oom: false, evidence: { oomKilled: true } });
  });

  it('never comes with exit 0, nor of 137 alone', () => {
    const any = fc.record({
      exitCode: fc.constantFrom(0, 1, 137, 143),
      oomEvent: fc.boolean(),
      oomKilled: fc.boolean(),
      killedByUs: fc.boolean(),
      usage: fc.record({
        peakBytes: fc.option(fc.integer({ min: 0, max: 2 * limitBytes })),
        cpuTimeMs: fc.constant(null),
        oomKills: fc.option(fc.integer({ min: 0, max: 3 })),
      }),
    });
    const unfounded = fc.check(
      fc.property(any, (over) => {
        const all = facts(over);
        const said = all.oomEvent || all.oomKilled || (all.usage.oomKills ?? 0) > 0;
        const reached = (all.usage.peakBytes ?? 0) >= limitBytes;
        return !judgeOom(all) || (all.exitCode !== 0 && (said || reached));
      }),
    );
    expect(unfounded.counterexample).toBeNull();
  });
});

describe('holding back', () => {
  it.each<[string, Partial<EndFacts>, boolean]>([
    ['an exit', { exitCode: 0 }, true],
    ['another signal', { exitCode: 143 }, true],
    ['a kill of ours', { killedByUs: true }, true],
    ['an oom that is known', { oomEvent: true }, true],
    ['an oom that the group shows', { usage: atLimit }, true],
    ['a 137 that nothing explains', {}, false],
  ])('is over for %s: %j', (_what, over, settled) => {
    expect(isSettled(facts(over))).toBe(settled);
  });
});

describe('an engine that restarted', () => {
  const restarted = { startedAtMs: 200_000, gaps: [] };
  const away = { startedAtMs: null, gaps: [{ fromMs: 199_500, toMs: 210_000 }] };
  it.each<[string, Partial<EndFacts>, boolean]>([
    ['found it running and killed it', { engine: restarted, endedAtMs: 200_100 }, true],
    ['found it dead', { engine: restarted, endedAtMs: 200_100, exitCode: 255 }, true],
    ['stopped it while it went down', { engine: away, exitCode: 143 }, true],
    ['stopped it just before the stream ended', { engine: away, exitCode: 143, endedAtMs: 190_000 }, true],
    ['went away long after', { engine: away, exitCode: 143, endedAtMs: 184_000 }, false],
    ['went away after we had stopped it', { engine: away, exitCode: 143, signalledByUs: true }, false],
    ['came up before it was started', { engine: { startedAtMs: 99_000, gaps: [] } }, false],
    ['was away long before', { engine: { startedAtMs: null, gaps: [{ fromMs: 1, toMs: 2 }] } }, false],
    ['was away while it ended by itself', { engine: away, exitCode: 3 }, false],
    ['was away while we killed it', { engine: away, killedByUs: true, signalledByUs: true }, false],
    ['was away while it succeeded', { engine: away, exitCode: 0 }, false],
    ['was away while it ran out of memory', { engine: away, oomKilled: true }, false],
  ])('%s', (_what, over, expected) => {
    expect(judgeEnd(facts(over)).engineRestart).toBe(expected);
  });

  it('invents 255, which is then no exit code', () => {
    expect(judgeEnd(facts({ engine: restarted, exitCode: 255 }))).toMatchObject({
      exitCode: null,
      signal: null,
    });
    expect(judgeEnd(facts({ exitCode: 255 }))).toMatchObject({
      exitCode: 255,
      engineRestart: false,
    });
  });
});

it('names the signal of an exit code, where there is one', () => {
  const named = [129, 130, 137, 139, 143, 128, 200, 3].map((exitCode) => judgeEnd(facts({ exitCode })).signal);
  expect(named).toEqual(['SIGHUP', 'SIGINT', 'SIGKILL', 'SIGSEGV', 'SIGTERM', null, null, null]);
});
