import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { readEvents as readStored } from '../../../src/host/events/queries.ts';
import { placeTasks } from '../../../src/host/reconcile/place.ts';
import type { WeirEvent } from '../../../src/protocol/event.ts';
import { taskSummarySchema, type TaskSummary, type TaskView } from '../../../src/protocol/task-view.ts';
import { pageOf, smallTask, taskOf } from '../../support/calls.ts';
import { openTestContext, type TestContext } from '../../support/host-context.ts';
import { joinRunner, type WireRunner } from '../../support/runner-wire.ts';

type Step = { do: 'submit' | 'place' } | { do: 'kill' | 'pulling' | 'running' | 'ended'; pick: number };
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('submit' as const, 'place' as const) }),
  fc.record({
    do: fc.constantFrom('kill' as const, 'pulling' as const, 'running' as const, 'ended' as const),
    pick: fc.nat({ max: 20 }),
  }),
);

async function take(test: TestContext, runner: WireRunner, step: Step): Promise<void> {
  if (step.do === 'submit') {
    taskOf(await test.call('POST', '/api/v1/tasks', { ...smallTask, resources: { cpus: 2, gpus: { count: 1 } } }));
    return;
  }
  if (step.do === 'place') {
    await placeTasks(test.ctx);
    await runner.sync();
    return;
  }
  if (!('pick' in step)) return;
  const known = step.do === 'kill' ? (await list(test)).items.map((item) => item.id) : [...runner.desired.keys()];
  const id = known[step.pick % Math.max(1, known.length)];
  if (id === undefined) return;
  if (step.do === 'kill') await test.call('POST', `/api/v1/tasks/${id}/kill`, {});
  else await runner.report(id, step.do);
}

async function list(test: TestContext): Promise<{ items: TaskView[]; asOf: number }> {
  return pageOf(await test.call('GET', '/api/v1/tasks?limit=1000'));
}

/** What a client holds: it merges an event's data where its `rev` is higher, and nothing else. */
function merge(held: Map<string, Record<string, unknown>>, event: WeirEvent): void {
  const now = held.get(event.subject.id);
  if (event.subject.kind !== 'task' || (now && Number(now['rev']) >= event.rev)) return;
  held.set(event.subject.id, { ...now, ...event.data });
}

/** What events tell of a task: the rest of its view never changes, or is worked out when asked. */
function told(view: unknown): TaskSummary {
  return v.parse(taskSummarySchema, view);
}

describe('a client that takes the list and merges the events behind it', () => {
  it('holds what the Host holds, whatever order and how often the events come', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyStep, { maxLength: 25 }),
        fc.nat(25),
        fc.infiniteStream(fc.nat(1000)),
        async (steps, listAt, order) => {
          await using test = await openTestContext();
          const runner = await joinRunner(test, { gpus: ['GPU-a', 'GPU-b'] });
          let first: { items: TaskView[]; asOf: number } = { items: [], asOf: 0 };
          for (const [at, step] of steps.entries()) {
            if (at === listAt) first = await list(test);
            await take(test, runner, step);
          }
          const events = await readStored(test.ctx.db, { since: first.asOf, limit: 1000 });
          const shuffled = [...events, ...events]
            .map((event) => ({ event, key: order.next().value }))
            .toSorted((a, b) => a.key - b.key);
          const held = new Map<string, Record<string, unknown>>(first.items.map((item) => [item.id, item]));
          for (const { event } of shuffled) merge(held, event);
          const now = await list(test);
          expect([...held.values()].map(told).toSorted(byId)).toEqual(now.items.map(told).toSorted(byId));
        },
      ),
      { numRuns: 25 },
    );
  }, 60_000);
});

function byId(a: TaskSummary, b: TaskSummary): number {
  return a.id < b.id ? -1 : 1;
}
