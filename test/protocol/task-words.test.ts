import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrayState, countMove } from '../../src/protocol/array-state.ts';
import { arrayOf, memberId, taskId } from '../../src/protocol/ids.ts';
import { parseLabelExpression, unmetConditions } from '../../src/protocol/label-expression.ts';
import { parseArrayRange } from '../../src/protocol/task-array.ts';
import { parseTarget } from '../../src/protocol/target.ts';
import { retryAfterMs } from '../../src/protocol/task-retry.ts';

describe('an array range', () => {
  it.each([
    ['0-3', [0, 1, 2, 3], null],
    ['0-99:33%2', [0, 33, 66, 99], 2],
    ['7,1-2', [1, 2, 7], null],
    ['5', [5], null],
  ])('%s is read', (text, indexes, together) => {
    expect(parseArrayRange(text)).toEqual({ indexes, together });
  });

  it.each(['', 'a', '3-1', '0-9:0', '1,1', '0-4294967295', '0-9%0', '0-9999,0-9999', '1-', '%3', '0-99999'])(
    '%j is refused with a sentence',
    (text) => {
      expect(parseArrayRange(text)).toBeTypeOf('string');
    },
  );
});

describe('ids of members', () => {
  it('lie behind their array and lead back to it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 30 }), fc.integer({ min: 0, max: 10_000 }), (counter, index) => {
        const array = taskId.fromCounter(counter);
        const member = memberId(array, index);
        expect(member).toBe(`${array}.${index}`);
        expect(arrayOf(member)).toEqual({ array, index });
        expect(taskId.fromStored(taskId.toStored(member))).toBe(member);
        expect(taskId.toStored(member)).toBeGreaterThan(taskId.toStored(array));
        expect(taskId.toStored(member)).toBeLessThan(taskId.toStored(taskId.fromCounter(counter + 1)));
      }),
    );
  });

  it.each(['t1.', 't1.01', 't1.99999', 't1.2.3', 't.1', 't1.-1'])('%s is none', (text) => {
    expect(taskId.parse(text)).toBeNull();
  });
});

describe('the short form of a place', () => {
  it.each([
    ['gpu-3', { node: 'gpu-3', numaNode: null, gpuIndexes: null }],
    ['gpu-3:1', { node: 'gpu-3', numaNode: 1, gpuIndexes: null }],
    ['gpu-3::0,1', { node: 'gpu-3', numaNode: null, gpuIndexes: [0, 1] }],
    ['gpu-3:1::4', { node: 'gpu-3', numaNode: 1, gpuIndexes: [4] }],
  ])('%s is read', (text, place) => {
    expect(parseTarget(text)).toEqual(place);
  });

  it.each(['', ':1', 'a::', 'a:b', 'a::1,1', 'a::x', 'a:1:2'])('%j is none', (text) => {
    expect(parseTarget(text)).toBeNull();
  });
});

describe('a label expression', () => {
  const labels = { gpu: 'a100', rack: '4', fast: '' };

  it.each([
    ['gpu in (a100, h100), rack=4, fast', []],
    ['gpu notin (a100)', ['gpu!=a100']],
    ['rack!=4, !fast', ['rack!=4', '!fast']],
    ['zone', ['zone']],
    ['zone!=a', []],
    ['toString', ['toString']],
  ])('%s', (text, unmet) => {
    const conditions = parseLabelExpression(text);
    if (typeof conditions === 'string') throw new Error(conditions);
    expect(unmetConditions(conditions, labels)).toEqual(unmet);
  });

  it.each(['', 'a b', '=', 'a in ()x', 'a==b=c', 'in (a)'])('%j is refused with a sentence', (text) => {
    expect(parseLabelExpression(text)).toBeTypeOf('string');
  });
});

describe('a retry', () => {
  const retry = { limit: 2, on: ['exit', 'oom'], backoff: 1000 } as const;

  it('waits longer each time and ends with its limit', () => {
    const failed = { cause: 'exit', exitCode: 1 } as const;
    expect([1, 2, 3].map((failures) => retryAfterMs({ ...retry, on: [...retry.on] }, failed, failures))).toEqual([
      1000,
      2000,
      null,
    ]);
  });

  it('follows only the failures that were named, and never a success', () => {
    const one = { ...retry, on: [...retry.on] };
    expect(retryAfterMs(one, { cause: 'exit', exitCode: 0 }, 1)).toBeNull();
    expect(retryAfterMs(one, { cause: 'timeout', exitCode: null }, 1)).toBeNull();
    expect(retryAfterMs(null, { cause: 'oom', exitCode: 137 }, 1)).toBeNull();
  });
});

describe('the state of an array', () => {
  it('follows from its members', () => {
    expect(arrayState({ queued: 3 })).toBe('queued');
    expect(arrayState({ queued: 3, pulling: 1, failed: 1 })).toBe('running');
    expect(arrayState({ succeeded: 3, killed: 1 })).toBe('killed');
    expect(arrayState({ succeeded: 3, killed: 1, failed: 1 })).toBe('failed');
    expect(arrayState({ succeeded: 3 })).toBe('succeeded');
  });

  it('counts every member once, through any moves', () => {
    const states = ['queued', 'assigned', 'running', 'succeeded', 'failed'] as const;
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(4), fc.constantFrom(...states))), (moves) => {
        const members: (typeof states)[number][] = Array.from({ length: 5 }, () => 'queued');
        let counts: ReturnType<typeof countMove> = { queued: 5 };
        for (const [at, to] of moves) {
          counts = countMove(counts, members[at] ?? 'queued', to);
          members[at] = to;
        }
        for (const state of states) expect(counts[state] ?? 0).toBe(members.filter((one) => one === state).length);
      }),
    );
  });
});
