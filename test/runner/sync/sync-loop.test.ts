import { describe, expect, it } from 'vitest';
import type { HostConfig } from '../../../src/host/config.ts';
import { openHost, type HostOnDisk } from '../../support/host-on-disk.ts';
import { testFolder } from '../../support/database.ts';
import { simulated, startCore, type Core } from './core.ts';
import type { Fate } from './wire.ts';
import { rmSync } from 'node:fs';

/** Silences that a test may wait for. */
const quick: Partial<HostConfig> = { syncHoldMs: 400, orphanGraceMs: 50 };

async function withBoth(
  config: Partial<HostConfig>,
  use: (on: HostOnDisk, core: Core) => Promise<void>,
): Promise<void> {
  const [hostFolder, runnerFolder] = [testFolder(), testFolder()];
  try {
    await using on = await openHost(hostFolder, config);
    await using core = await startCore(on, runnerFolder);
    await use(on, core);
  } finally {
    rmSync(hostFolder, { recursive: true, force: true });
    rmSync(runnerFolder, { recursive: true, force: true });
  }
}

/** Waits for so many more calls of `sync` that were answered. */
async function afterCalls(core: Core, more: number): Promise<void> {
  const wanted = core.wire.calls.length + more;
  while (core.wire.calls.length < wanted) await new Promise((resolve) => setTimeout(resolve, 5));
}

function only(core: Core) {
  const [workload] = [...core.reconciler.workloads.all()];
  if (workload === undefined) throw new Error('the Runner knows of nothing');
  return workload;
}

describe('a line that is good', { timeout: 60_000 }, () => {
  it('brings work and results without waiting for anything', async () => {
    await withBoth({}, async (on, core) => {
      const { id } = await on.api.submit(simulated('sleep 20ms exit 3'));
      expect(await on.api.end(id)).toMatchObject({
        state: 'failed',
        end: { cause: 'exit', exitCode: 3 },
        nodeName: 'node-1',
      });
      expect(core.runs()).toBe(1);
    });
  });

  it('brings a kill while a call is held', async () => {
    await withBoth({}, async (on, core) => {
      const { id } = await on.api.submit(simulated('sleep 60s'));
      await on.api.until(id, ({ state }) => state === 'running');
      await on.api.post(`/tasks/${id}/kill`);
      expect((await on.api.end(id)).end).toMatchObject({ cause: 'killed_by', signal: 'SIGTERM' });
      expect(core.runs()).toBe(1);
    });
  });
});

describe('a line that is bad', { timeout: 60_000 }, () => {
  const fates: Fate[] = [
    'lose answer',
    'double',
    'slow request',
    'lose request',
    'slow answer',
    'pass',
    'double',
    'lose answer',
    'pass',
  ];

  it.each([0, 2, 4, 6])('loses nothing and runs nothing twice (fates from the %i-th)', async (from) => {
    await withBoth(quick, async (on, core) => {
      const turned = [...fates.slice(from), ...fates.slice(0, from)];
      core.wire.spoil([...turned, ...turned, ...turned]);
      const codes = [0, 1, 2, 3, 4, 5];
      const made = await Promise.all(
        codes.map((code) => on.api.submit(simulated(`sleep ${code * 30}ms exit ${code}`))),
      );
      const ended = await Promise.all(made.map(({ id }) => on.api.end(id)));
      expect(ended.map(({ end }) => end?.exitCode)).toEqual(codes);
      expect(ended.map(({ attempt }) => attempt)).toEqual(codes.map(() => 1));
      expect(core.runs()).toBe(codes.length);
    });
  });
});

describe('a Host that goes away', { timeout: 60_000 }, () => {
  it('has the result of what ended meanwhile when it is back, and the same session is not needed', async () => {
    await withBoth(quick, async (on, core) => {
      const short = await on.api.submit(simulated('sleep 150ms exit 6'));
      const long = await on.api.submit(simulated('sleep 60s'));
      await on.api.until(short.id, ({ state }) => state === 'running');
      await on.api.until(long.id, ({ state }) => state === 'running');
      await on.stop();
      while ([...core.engine.workloads.values()].every(({ phase }) => phase !== 'ended'))
        await new Promise((resolve) => setTimeout(resolve, 5));
      await on.start();
      expect((await on.api.end(short.id)).end).toMatchObject({ cause: 'exit', exitCode: 6 });
      expect(await on.api.task(long.id)).toMatchObject({ state: 'running', attempt: 1 });
      expect(core.runs()).toBe(2);
      expect(core.wire.calls.filter((call) => call === 'session 201').length).toBe(2);
    });
  });
});

describe('an answer that is no order', { timeout: 60_000 }, () => {
  const problem = (status: number, code: string): Response =>
    Response.json(
      { type: `urn:weir:error:${code}`, title: code, status, code, detail: code, requestId: 'x' },
      { status },
    );

  it.each<[string, (path: string) => Promise<Response>]>([
    ['401', async () => problem(401, 'unauthenticated')],
    ['404', async () => problem(404, 'not_found')],
    ['500', async () => problem(500, 'internal')],
    ['a page of somebody else', async () => new Response('<html>captive portal</html>', { status: 200 })],
    [
      'an empty set of an older epoch',
      async (path) =>
        path.endsWith('/session')
          ? problem(401, 'unauthenticated')
          : Response.json({
              epoch: 0,
              generation: 1000,
              hostTime: Date.now(),
              desired: { tasks: [], settings: { syncHoldMs: 400, orphanGraceMs: 0 } },
              acked: [],
              wantFull: false,
              superseded: false,
            }),
    ],
  ])('of %s reaps nothing, and work goes on afterwards', async (_, answer) => {
    await withBoth(quick, async (on, core) => {
      const { id } = await on.api.submit(simulated('sleep 60s'));
      await on.api.until(id, ({ state }) => state === 'running');
      core.wire.answerInstead((path) => answer(path));
      await afterCalls(core, 4);
      expect(only(core)).toMatchObject({ phase: 'running', stopping: null, orphanSinceMs: null });
      core.wire.answerInstead(null);
      await on.api.post(`/tasks/${id}/kill`);
      expect((await on.api.end(id)).end?.cause).toBe('killed_by');
      expect(core.runs()).toBe(1);
    });
  });

  it('of a Host that removed the node leaves its work alone', async () => {
    await withBoth(quick, async (on, core) => {
      const { id } = await on.api.submit(simulated('sleep 60s'));
      await on.api.until(id, ({ state }) => state === 'running');
      core.wire.answerInstead(async () => problem(401, 'unauthenticated'));
      await afterCalls(core, 6);
      expect(only(core)).toMatchObject({ phase: 'running', stopping: null, orphanSinceMs: null });
    });
  });

  it('is not asked for as fast as it comes', async () => {
    await withBoth(quick, async (on, core) => {
      const { id } = await on.api.submit(simulated('sleep 60s'));
      await on.api.until(id, ({ state }) => state === 'running');
      // The Host never agrees with what it is told.
      let asked = 0;
      core.wire.answerInstead(async (path) => {
        if (!path.endsWith('/sync')) return null;
        asked += 1;
        return Response.json({
          epoch: 1,
          generation: 1,
          hostTime: Date.now(),
          acked: [],
          wantFull: true,
          superseded: false,
        });
      });
      const before = performance.now();
      await afterCalls(core, 10);
      // A twentieth of the second between two whole reports.
      expect(asked / (performance.now() - before)).toBeLessThan(2 / 50 + 0.02);
    });
  });
});
