import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { placeTasks } from '../../../src/host/reconcile/place.ts';
import { newJudgeMemory, watchNodes, type JudgeMemory } from '../../../src/host/reconcile/watch-nodes.ts';
import { events, nodes } from '../../../src/host/store/schema.ts';
import { smallTask, taskOf } from '../../support/calls.ts';
import { openTestContext, type TestContext } from '../../support/host-context.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { joinRunner, type WireRunner } from '../../support/runner-wire.ts';

let clock: ManualClock;
let test: TestContext;
let memory: JudgeMemory;
beforeEach(async () => {
  clock = createManualClock();
  test = await openTestContext({ clock });
  memory = newJudgeMemory(test.ctx);
});
afterEach(() => test[Symbol.asyncDispose]());

async function join(count: number): Promise<WireRunner[]> {
  const made: WireRunner[] = [];
  for (let at = 0; at < count; at += 1)
    made.push(await joinRunner({ call: test.call, now: clock.now }, { name: `box-${at}` }));
  return made;
}

/** Lets seconds pass, with a look at the nodes each; those of `alive` make contact. */
async function pass(seconds: number, alive: readonly WireRunner[] = []): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    await clock.advance(1000);
    if (second % 10 === 0) for (const runner of alive) await contact(runner);
    await watchNodes(test.ctx, memory);
  }
}

/** A sync, under a new session where the old one is over. */
async function contact(runner: WireRunner): Promise<void> {
  if ((await runner.send()).status === 200) return;
  await runner.beginSession();
  await runner.sync();
}

async function states(): Promise<string[]> {
  return (await test.ctx.db.select().from(nodes).orderBy(nodes.id)).map((row) => row.state);
}

describe('a Host that has just started', () => {
  it('judges nobody for a minute', async () => {
    await join(4);
    await pass(59);
    expect(await states()).toEqual(['ready', 'ready', 'ready', 'ready']);
    await pass(2);
    expect(await states()).toEqual(['suspect', 'suspect', 'suspect', 'suspect']);
  });

  it('counts a silence from then, not from what was stored', async () => {
    const [, ...others] = await join(4);
    memory = newJudgeMemory(test.ctx);
    test.ctx.presence.forget((await test.ctx.db.select().from(nodes))[0]?.id as never);
    await pass(89, others);
    expect((await states())[0]).toBe('suspect');
    await pass(2, others);
    expect((await states())[0]).toBe('unreachable');
  });
});

describe('a node that falls silent', () => {
  it('is suspect after 30 s, unreachable after 90 s, and ready at its next contact; each is told', async () => {
    const [silent, ...others] = await join(4);
    await pass(70, [...others, ...(silent ? [silent] : [])]);
    const seen: string[] = [];
    for (let second = 0; second < 100; second += 1) {
      await pass(1, others);
      const now = (await states())[0] ?? '';
      if (seen.at(-1) !== now) seen.push(now);
    }
    expect(seen).toEqual(['ready', 'suspect', 'unreachable']);
    await silent?.sync();
    expect((await states())[0]).toBe('ready');
    const told = (await test.ctx.db.select().from(events))
      .filter((event) => event.subject === silent?.node)
      .map((event) => event.type);
    expect(told).toEqual(['node.joined', 'node.ready', 'node.suspect', 'node.unreachable', 'node.ready']);
  });

  it('gets no new work while it is suspect, and what it has goes on', async () => {
    const [silent, ...others] = await join(3);
    for (const other of others) await test.call('POST', `/api/v1/nodes/${other.node}/drain`, {});
    const first = taskOf(await test.call('POST', '/api/v1/tasks', smallTask));
    await placeTasks(test.ctx);
    await pass(100, others);
    expect((await states())[0]).toBe('unreachable');
    const second = taskOf(await test.call('POST', '/api/v1/tasks', smallTask));
    await placeTasks(test.ctx);
    const show = async (id: string) => taskOf(await test.call('GET', `/api/v1/tasks/${id}`));
    expect((await show(first.id)).state).toBe('assigned');
    expect(await show(second.id)).toMatchObject({ state: 'queued', reason: { code: 'node_not_ready' } });
    await silent?.sync();
    await placeTasks(test.ctx);
    expect((await show(second.id)).state).toBe('assigned');
  });
});

describe('the fault is its own', () => {
  it('when it stalled: the silence behind the stall does not count', async () => {
    const all = await join(4);
    await pass(70, all);
    await clock.advance(300_000);
    await watchNodes(test.ctx, memory);
    expect(await states()).toEqual(['ready', 'ready', 'ready', 'ready']);
    await pass(59);
    expect(await states()).toEqual(['ready', 'ready', 'ready', 'ready']);
    await pass(40, all);
    expect(await states()).toEqual(['ready', 'ready', 'ready', 'ready']);
  });

  it('when most nodes vanish together: none is called unreachable', async () => {
    const [one, two, ...others] = await join(5);
    await pass(
      70,
      [one, two, ...others].flatMap((runner) => runner ?? []),
    );
    await pass(200, one && two ? [one, two] : []);
    expect(await states()).toEqual(['ready', 'ready', 'suspect', 'suspect', 'suspect']);
  });

  it('in a cluster of two: the silent one is only suspect', async () => {
    const [one] = await join(2);
    await pass(300, one ? [one] : []);
    expect(await states()).toEqual(['ready', 'suspect']);
  });

  it('not when the wall clock jumps', async () => {
    const all = await join(3);
    await pass(70, all);
    clock.jumpWall(7 * 86_400_000);
    await pass(5, all);
    clock.jumpWall(-14 * 86_400_000);
    await pass(25, all);
    expect(await states()).toEqual(['ready', 'ready', 'ready']);
  });
});
