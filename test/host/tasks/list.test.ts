import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { placeTasks } from '../../../src/host/reconcile/place.ts';
import { takeNumbers } from '../../../src/host/store/counters.ts';
import type { TaskView } from '../../../src/protocol/task-view.ts';
import { pageOf, problemOf, smallTask, taskOf } from '../../support/calls.ts';
import { openTestContext, type TestContext } from '../../support/host-context.ts';
import { joinRunner } from '../../support/runner-wire.ts';

let test: TestContext;
beforeEach(async () => {
  test = await openTestContext();
});
afterEach(() => test[Symbol.asyncDispose]());

const submit = async (more: Record<string, unknown> = {}): Promise<TaskView> =>
  taskOf(await test.call('POST', '/api/v1/tasks', { ...smallTask, ...more }));
const batch = (length: number, labels: Record<string, string> = {}) =>
  test.call(
    'POST',
    '/api/v1/tasks/batch',
    Array.from({ length }, () => ({ ...smallTask, labels })),
  );
const names = async (query: string): Promise<string[]> =>
  pageOf(await test.call('GET', `/api/v1/tasks?${query}`)).items.map((item) => item.name);

describe('a walk by cursor', () => {
  it('sees every task that was there once, newest first, whatever is submitted meanwhile', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 5 }), async (length, limit) => {
        run += 1;
        const labels = { run: String(run) };
        const made = (await batch(length, labels)).body as { items: TaskView[] };
        const there = made.items.map((item) => item.id).toReversed();
        const seen: string[] = [];
        let cursor: string | null = '';
        while (cursor !== null) {
          const from: string = cursor === '' ? '' : `&cursor=${cursor}`;
          const [page] = await Promise.all([
            test.call('GET', `/api/v1/tasks?label=run=${run}&limit=${limit}${from}`),
            batch(1, labels),
          ]);
          const read = pageOf(page);
          expect(read.items.length).toBeLessThanOrEqual(limit);
          seen.push(...read.items.map((item) => item.id));
          cursor = read.cursor;
        }
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen.filter((id) => there.includes(id as TaskView['id']))).toEqual(there);
      }),
      { numRuns: 10 },
    );
  });

  it('ends with a null cursor, also where the last page is full', async () => {
    await batch(4);
    const first = pageOf(await test.call('GET', '/api/v1/tasks?limit=2'));
    const second = pageOf(await test.call('GET', `/api/v1/tasks?limit=2&cursor=${first.cursor}`));
    expect([first.items.length, second.items.length, second.cursor]).toEqual([2, 2, null]);
    expect(pageOf(await test.call('GET', '/api/v1/tasks')).cursor).toBeNull();
  });

  it('has 100 tasks a page unless asked', async () => {
    await batch(101);
    expect(pageOf(await test.call('GET', '/api/v1/tasks')).items.length).toBe(100);
  });
});

describe('a filter', () => {
  it('by name, owner and labels takes what has all of them', async () => {
    await submit({ name: 'a', owner: 'ada', labels: { team: 'red', stage: 'one' } });
    await submit({ name: 'b', owner: 'ada', labels: { team: 'red', stage: 'two' } });
    await submit({ name: 'c', labels: { team: 'blue', note: 'x=y' } });
    expect(await names('name=a')).toEqual(['a']);
    expect(await names('owner=ada')).toEqual(['b', 'a']);
    expect(await names('owner=admin')).toEqual(['c']);
    expect(await names('label=team=red')).toEqual(['b', 'a']);
    expect(await names('label=team=red&label=stage=two')).toEqual(['b']);
    expect(await names('label=note=x%3Dy')).toEqual(['c']);
    expect(await names('label=team=green')).toEqual([]);
  });

  it('by state and node follows the task', async () => {
    const runner = await joinRunner(test, { name: 'left', cpuMilli: 500 });
    await submit({ name: 'first' });
    await submit({ name: 'second' });
    await placeTasks(test.ctx);
    expect(await names('state=assigned')).toEqual(['first']);
    expect(await names('state=queued')).toEqual(['second']);
    expect(await names('state=queued,assigned')).toEqual(['second', 'first']);
    expect(await names('node=left')).toEqual(['first']);
    expect(await names(`node=${runner.node}&state=queued`)).toEqual([]);
  });

  it('goes on behind a cursor', async () => {
    for (const name of ['a', 'x', 'b', 'x2', 'c'])
      await submit({ name, labels: { kind: name.startsWith('x') ? 'x' : 'y' } });
    const first = pageOf(await test.call('GET', '/api/v1/tasks?label=kind=y&limit=2'));
    expect(first.items.map((item) => item.name)).toEqual(['c', 'b']);
    expect(await names(`label=kind=y&limit=2&cursor=${first.cursor}`)).toEqual(['a']);
  });
});

describe('asOf', () => {
  it('is the number of the last event that the list includes', async () => {
    expect(pageOf(await test.call('GET', '/api/v1/tasks')).asOf).toBe(0);
    await submit();
    await submit();
    expect(pageOf(await test.call('GET', '/api/v1/tasks')).asOf).toBe(2);
  });
});

describe('a task is found', () => {
  const find = (ref: string) => test.call('GET', `/api/v1/tasks/${ref}`);

  it('by its id, its name, or a prefix of its id that only one has', async () => {
    await batch(40);
    const named = await submit({ name: 'nightly' });
    expect(taskOf(await find(named.id)).id).toBe(named.id);
    expect(taskOf(await find('nightly')).id).toBe(named.id);
    const [only, ...others] = pageOf(await test.call('GET', '/api/v1/tasks')).items.filter(
      (item) => item.id.startsWith('t1') && item.id.length === 3,
    );
    expect(others.length).toBeGreaterThan(3);
    expect(taskOf(await find(only?.id ?? '')).id).toBe(only?.id);
  });

  it('by a prefix that no id equals', async () => {
    await test.ctx.writes.run((tx) => takeNumbers(tx, 'task', 40_000));
    const { id } = await submit();
    await submit({ name: 'other' });
    expect(id.length).toBe(5);
    for (const prefix of [id.slice(0, 2), id.slice(0, 3)])
      expect(problemOf(await find(prefix)).code).toBe('state_conflict');
    await test.ctx.writes.run((tx) => takeNumbers(tx, 'task', 4_000_000));
    const far = await submit();
    expect(taskOf(await find(far.id.slice(0, 4))).id).toBe(far.id);
  });

  it('not when several have the name or the prefix, and says which', async () => {
    const [one, two] = [await submit({ name: 'twin' }), await submit({ name: 'twin' })];
    const problem = problemOf(await find('twin'));
    expect(problem).toMatchObject({ status: 409, code: 'state_conflict', fix: 'give the id' });
    expect(problem.detail).toContain(`${two.id}, ${one.id}`);
  });

  it('by its id also when another has that id as its name', async () => {
    const first = await submit();
    await submit({ name: first.id });
    expect(taskOf(await find(first.id)).id).toBe(first.id);
  });
});
