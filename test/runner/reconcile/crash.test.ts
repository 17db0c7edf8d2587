import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { workloadKey } from '../../../src/runner/backend/simulated/simulated-engine.ts';
import { createSimulatedBackend } from '../../../src/runner/backend/simulated/simulated-backend.ts';
import { settled } from '../../support/manual-clock.ts';
import { makeMortal, type Mortal } from './mortal.ts';
import { assignment, createRoom, refOf, type Incarnation, type Room } from './room.ts';

const kill = { cause: 'killed_by', message: 'killed by ada', kill: false } as const;

/** Starts a Runner that dies at its n-th touch; a later one is started over what it left. */
async function startMortal(room: Room, diesAt: number): Promise<Incarnation & { mortal: Mortal }> {
  const { clock, journal, engine } = room;
  const mortal = makeMortal({ clock, journal, backend: createSimulatedBackend({ engine }) }, diesAt);
  return { ...(await room.start(mortal)), mortal };
}

/** A turn of the wire, unless the process is dead: then nobody makes it. */
function exchange(room: Room, { reconciler, mortal }: Incarnation & { mortal: Mortal }): void {
  if (mortal.isDead()) return;
  try {
    room.host.exchange(reconciler.workloads);
  } catch (error) {
    if (!mortal.isDead()) throw error;
  }
}

async function liveUntilDeath(room: Room, runner: Incarnation & { mortal: Mortal }, ms: number): Promise<void> {
  for (let passedMs = 0; passedMs < ms && !runner.mortal.isDead(); passedMs += 50) {
    exchange(room, runner);
    await room.clock.advance(50);
  }
}

describe('a Runner that is killed', { timeout: 60_000 }, () => {
  it('at any touch of the world runs everything exactly once and tells the right end', async () => {
    const crashes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 });
    const pullMs = fc.constantFrom(0, 120);
    await fc.assert(
      fc.asyncProperty(crashes, pullMs, async (deaths, pulling) => {
        const room = createRoom({ image: () => ({ pullMs: pulling, failure: null, program: [] }) });
        const task = assignment(1, 'print a sleep 400ms exit 3');
        room.host.assign(task);
        for (const diesAt of deaths) await liveUntilDeath(room, await startMortal(room, diesAt), 3000);
        const last = await room.start();
        await room.live(last, 3000, 50);
        expect(room.runs.get(workloadKey(refOf(task)))).toBe(1);
        expect(room.host.row(task.task).end).toMatchObject({ cause: 'exit', exitCode: 3 });
        expect(room.engine.workloads.size).toBe(0);
        expect(room.journal.all()).toEqual([]);
        await last.stop();
      }),
      { numRuns: 150 },
    );
  });

  it('at every single touch of one launch', async () => {
    let touches = 1;
    for (let diesAt = 1; diesAt <= touches; diesAt += 1) {
      const room = createRoom();
      const task = assignment(1, 'sleep 300ms exit 3');
      room.host.assign(task);
      const first = await startMortal(room, diesAt);
      await liveUntilDeath(room, first, 3000);
      touches = Math.max(touches, first.mortal.touches() + 1);
      if (!first.mortal.isDead()) break;
      const second = await room.start();
      await room.live(second, 2000, 50);
      expect([diesAt, room.runs.get(workloadKey(refOf(task)))]).toEqual([diesAt, 1]);
      expect(room.host.row(task.task).end).toMatchObject({ cause: 'exit', exitCode: 3 });
      await second.stop();
    }
    expect(touches).toBeGreaterThan(15);
  });

  it('while it stops something stops it all the same, and says so', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 12 }), async (diesAt, stopAfter) => {
        const room = createRoom();
        const task = assignment(1, 'ignore SIGTERM sleep 600s', { stopGraceMs: 200 });
        room.host.assign(task);
        const first = await startMortal(room, diesAt);
        await liveUntilDeath(room, first, stopAfter * 50);
        room.host.stop(task.task, kill);
        await liveUntilDeath(room, first, 2000);
        const second = await room.start();
        await room.live(second, 2000, 50);
        expect(room.host.row(task.task).end).toMatchObject({ cause: 'killed_by' });
        expect(room.engine.workloads.size).toBe(0);
        expect(room.journal.all()).toEqual([]);
        await second.stop();
      }),
      { numRuns: 150 },
    );
  });
});

type Deed =
  | 'pass'
  | 'exchange'
  | 'lose'
  | 'full'
  | 'kill'
  | 'assign'
  | 'forget'
  | 'close'
  | 'remove'
  | 'die'
  | 'restart';

describe('the digest', { timeout: 60_000 }, () => {
  it('is what the Host would hold, whatever happened before', async () => {
    const deeds = fc.array(
      fc.record({
        deed: fc.constantFrom<Deed>(
          'pass',
          'exchange',
          'lose',
          'full',
          'kill',
          'assign',
          'forget',
          'close',
          'remove',
          'die',
          'restart',
        ),
        of: fc.integer({ min: 1, max: 3 }),
      }),
      { maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(deeds, async (order) => {
        const room = createRoom();
        let runner = await room.start();
        for (const { deed, of } of order) runner = await doDeed(room, runner, { deed, of });
        await settled();
        // Where the two did not agree the Host asks for everything, and then they do.
        if (!room.host.exchange(runner.reconciler.workloads))
          room.host.exchange(runner.reconciler.workloads, { full: true });
        expect(room.host.exchange(runner.reconciler.workloads)).toBe(true);
        await runner.stop();
      }),
      { numRuns: 200 },
    );
  });
});

async function doDeed(room: Room, runner: Incarnation, { deed, of }: { deed: Deed; of: number }): Promise<Incarnation> {
  const task = assignment(of, 'sleep 700ms exit 1');
  const { workloads } = runner.reconciler;
  const known = room.host.desired().tasks.some((one) => one.task === task.task);
  if (deed === 'pass') await room.clock.advance(170);
  else if (deed === 'exchange') room.host.exchange(workloads);
  // The report arrives, its answer does not.
  else if (deed === 'lose') room.host.takeReport(workloads.report({ full: false }).changes);
  else if (deed === 'full') room.host.exchange(workloads, { full: true });
  else if (deed === 'remove') room.engine.removeByHand(refOf(task));
  else if (deed === 'die') room.engine.dieNow(refOf(task), 9);
  else if (deed === 'assign' && !known && room.host.told(task.task).length === 0) room.host.assign(task);
  else if (deed === 'kill' && known) room.host.stop(task.task, kill);
  else if (deed === 'forget') room.host.forget(task.task);
  else if (deed === 'close' && known) room.host.close(task.task);
  else if (deed === 'restart') {
    await runner.stop();
    return room.start();
  }
  await settled();
  return runner;
}
