import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/lib/clock.ts';
import type { StartOrder } from '../../../../src/runner/backend/backend.ts';
import { parseProgram } from '../../../../src/runner/backend/simulated/program.ts';
import type { SimulatedScript } from '../../../../src/runner/backend/simulated/script.ts';
import { createSimulatedBackend } from '../../../../src/runner/backend/simulated/simulated-backend.ts';
import { createSimulatedEngine } from '../../../../src/runner/backend/simulated/simulated-engine.ts';
import { endedOf, watchBackend } from '../../../contract/backend-harness.ts';
import { createManualClock } from '../../../support/manual-clock.ts';
import { startOrder } from '../../../support/workload-orders.ts';

const { signal } = new AbortController();

function set(script: Partial<SimulatedScript> = {}) {
  const engine = createSimulatedEngine({
    clock: systemClock,
    script: { startMs: () => 0, ...script },
  });
  return { engine, backend: createSimulatedBackend({ engine }) };
}

function order(...argv: string[]): StartOrder {
  return startOrder(1, { image: 'sim/demo:1', argv });
}

it('a program is words in pairs', () => {
  expect(
    parseProgram(['print', 'a b', 'sleep', '5s', 'work', '1s', 'allocate', '1MiB', 'ignore', 'SIGHUP', 'exit', '3']),
  ).toEqual([
    { kind: 'print', text: 'a b' },
    { kind: 'sleep', ms: 5000 },
    { kind: 'work', ms: 1000 },
    { kind: 'allocate', bytes: 1_048_576 },
    { kind: 'ignore', signal: 'SIGHUP' },
    { kind: 'exit', code: 3 },
  ]);
  for (const argv of [['rm', '-rf'], ['sleep', 'long'], ['sleep'], ['exit', 'x']]) {
    expect(parseProgram(argv)).toEqual({ unknown: argv[0] });
  }
});

describe('the simulated engine', () => {
  it('takes what runs along when it restarts', async () => {
    const { engine, backend } = set();
    const { ref } = await backend.start(order('sleep', '1h'), signal);
    engine.restartAndKill();
    expect(await backend.end(ref, signal)).toMatchObject({
      exitCode: 137,
      engineRestart: true,
      oom: false,
    });
  });

  it('lets a process die, and counts what it used', async () => {
    const { engine, backend } = set();
    const watched = await watchBackend(backend);
    const { ref } = await backend.start(order('allocate', '1MiB', 'work', '20ms', 'sleep', '1h'), signal);
    await expect.poll(() => engine.workloads.get(`${ref.task}/1`)?.process?.usage().cpuTimeMs).toBe(20);
    engine.dieNow(ref, 139);
    const { end } = await watched.until(endedOf(ref));
    expect(end).toMatchObject({
      exitCode: 139,
      signal: 'SIGSEGV',
      memoryPeakBytes: 1_048_576,
      cpuTimeMs: 20,
    });
    await watched[Symbol.asyncDispose]();
  });

  it('pulls by the clock, one pull for all who ask', async () => {
    let pulls = 0;
    const { backend } = set({
      image: () => {
        pulls += 1;
        return { pullMs: 20, failure: null, program: [] };
      },
    });
    await expect(backend.start(order(), signal)).rejects.toMatchObject({ code: 'image_not_found' });
    const texts: string[] = [];
    await Promise.all([1, 2].map(() => backend.pull('sim/demo:1', (text) => texts.push(text), signal)));
    expect(texts).toEqual(['0 of 1 layers', '0 of 1 layers', '1 of 1 layers', '1 of 1 layers']);
    expect(await backend.start(order(), signal)).toMatchObject({ phase: 'running' });
    expect(pulls).toBeGreaterThan(0);
  });

  it('fails a pull as the script says', async () => {
    const { backend } = set({
      image: () => ({ pullMs: 1, failure: 'image_pull_failed', program: [] }),
    });
    await expect(backend.pull('sim/demo:1', () => undefined, signal)).rejects.toMatchObject({
      code: 'image_pull_failed',
    });
  });

  it('does not count the time in which a process is paused', async () => {
    const clock = createManualClock();
    const engine = createSimulatedEngine({ clock });
    const backend = createSimulatedBackend({ engine });
    const starting = backend.start(order('work', '60s'), signal);
    await clock.advance(100);
    const { ref } = await starting;
    await clock.advance(20_000);
    await backend.pause(ref, signal);
    await clock.advance(3_600_000);
    await backend.resume(ref, signal);
    await clock.advance(39_000);
    expect(await backend.end(ref, signal)).toBeNull();
    await clock.advance(1000);
    expect(await backend.end(ref, signal)).toMatchObject({ exitCode: 0, cpuTimeMs: 60_000 });
  });
});
