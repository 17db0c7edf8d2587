import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joinRunner, type WireRunner } from '../../support/runner-wire.ts';
import { pageOf, smallTask, taskOf, type Call } from '../../support/calls.ts';
import { startTestHost, type TestHost } from '../../support/host.ts';
import { startSqld, type TestSqld } from '../../support/sqld.ts';

const leaseMs = 1500;
const config = { leaseMs, pollMs: 50 };

/** A way to the database that can be cut. */
interface Cable extends AsyncDisposable {
  url: string;
  cut(): void;
  mend(): void;
}

async function layCable(to: string): Promise<Cable> {
  const { hostname, port } = new URL(to);
  const open = new Set<Socket>();
  let whole = true;
  const server: Server = createServer((near) => {
    if (!whole) {
      near.destroy();
      return;
    }
    const far = connect(Number(port), hostname);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was bound');
  const drop = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut() {
      whole = false;
      drop();
    },
    mend() {
      whole = true;
    },
    async [Symbol.asyncDispose]() {
      drop();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Looks until it holds. The test's own time limit ends the wait. */
async function until<T>(look: () => Promise<T | null>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function submit(call: Call, count: number): Promise<string[]> {
  const answer = await call(
    'POST',
    '/api/v1/tasks/batch',
    Array.from({ length: count }, () => smallTask),
  );
  if (answer.status !== 201) throw new Error(answer.text);
  return (answer.body as { items: { id: string }[] }).items.map(({ id }) => id);
}

async function assigned(call: Call, ids: readonly string[]): Promise<true | null> {
  const { items } = pageOf(await call('GET', '/api/v1/tasks?limit=500'));
  const waiting = items.filter(({ id, state }) => ids.includes(id) && state === 'queued');
  return waiting.length === 0 ? true : null;
}

let sqld: TestSqld;
let cable: Cable;
let leader: TestHost;
let other: TestHost;
beforeAll(async () => {
  sqld = await startSqld();
  cable = await layCable(sqld.url);
  leader = await startTestHost({ config, databaseUrl: cable.url });
  other = await startTestHost({ config, databaseUrl: sqld.url, beside: leader });
}, 60_000);
afterAll(async () => {
  cable.mend();
  await other[Symbol.asyncDispose]();
  await leader[Symbol.asyncDispose]();
  await cable[Symbol.asyncDispose]();
  await sqld[Symbol.asyncDispose]();
});

/** What is desired of each node, told by whichever Host is asked. */
async function desired(runners: readonly WireRunner[]): Promise<string[]> {
  for (const runner of runners) await runner.sync();
  return runners.flatMap((runner) => [...runner.desired.values()].map(({ task, attempt }) => `${task} ${attempt}`));
}

describe('two Hosts on one database', () => {
  it('take requests, Runners and waiting clients each, and one of them schedules for both', async () => {
    const anyHost = alternate(leader.call, other.call);
    const runner = await joinRunner({ call: anyHost }, { name: 'both' });
    const [first = ''] = await submit(other.call, 1);
    const held = runner.sync({ holdMs: 10_000 });
    await held;
    expect([...runner.desired.keys()]).toEqual([first]);
    const waiting = leader.call('GET', `/api/v1/tasks/${first}/wait?timeout=10s`);
    await runner.report(first, 'running');
    await runner.report(first, 'ended');
    expect(taskOf(await waiting).state).toBe('succeeded');
  }, 20_000);

  it('refuse one with another signing key', async () => {
    await expect(startTestHost({ config, databaseUrl: sqld.url })).rejects.toThrow(
      /copy the files of the first Host's keys folder/,
    );
  });

  it('when the one that schedules is cut off, the other takes over, and nothing is assigned twice', async () => {
    const runners = [
      await joinRunner({ call: other.call }, { name: 'a' }),
      await joinRunner({ call: other.call }, { name: 'b' }),
    ];
    const before = await submit(other.call, 8);
    cable.cut();
    const cutAt = performance.now();
    const after = await submit(other.call, 8);
    await until(() => assigned(other.call, [...before, ...after]));
    const tookMs = performance.now() - cutAt;
    cable.mend();
    const later = await submit(other.call, 8);
    await until(() => assigned(other.call, later));
    await until(async () => ((await leader.call('GET', '/readyz')).status === 200 ? true : null));
    const orders = await desired(runners);
    expect(new Set(orders).size).toBe(orders.length);
    expect(orders.every((order) => order.endsWith(' 1'))).toBe(true);
    const { items } = pageOf(await other.call('GET', '/api/v1/tasks?state=assigned&limit=500'));
    expect(orders.map((order) => order.replace(/ .*/, '')).toSorted()).toEqual(
      items
        .filter(({ nodeName }) => nodeName !== 'both')
        .map(({ id }) => id)
        .toSorted(),
    );
    // The lease, and what it takes to notice and to place; on a machine that is busy with other things.
    expect(tookMs).toBeLessThan(leaseMs + 5000);
  }, 40_000);
});

function alternate(...calls: readonly Call[]): Call {
  let turn = 0;
  return (...request) => {
    turn += 1;
    const call = calls[turn % calls.length];
    if (!call) throw new Error('no Host to call');
    return call(...request);
  };
}
