import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeNodes, type Judged } from '../../../src/host/reconcile/judge.ts';
import { nodeStates, type NodeState } from '../../../src/protocol/node-view.ts';
import { nodeId } from '../../../src/protocol/ids.ts';

const limits = { suspectMs: 30_000, unreachableMs: 90_000 };

function cluster(...of: readonly (readonly [NodeState, number])[]): Judged[] {
  return of.map(([state, seconds], at) => ({ id: nodeId.fromCounter(at + 1), state, silentMs: seconds * 1000 }));
}

/** Verdicts as "n1 unreachable". */
function verdicts(nodes: readonly Judged[]): string[] {
  return judgeNodes(nodes, limits).map(({ id, to }) => `${id} ${to}`);
}

describe('a silent node', () => {
  it.each([
    [29.9, 'ready', []],
    [30, 'ready', ['n1 suspect']],
    [89.9, 'ready', ['n1 suspect']],
    [30, 'suspect', []],
    [89.9, 'suspect', []],
    [90, 'suspect', ['n1 unreachable']],
    [90, 'ready', ['n1 unreachable']],
    [9000, 'unreachable', []],
    [9000, 'lost', []],
  ] as const)('after %d s, being %s', (seconds, state, expected) => {
    expect(verdicts(cluster([state, seconds], ['ready', 0], ['ready', 0]))).toEqual(expected);
  });
});

describe('the Host takes it for its own fault', () => {
  it('in a cluster of one or two nodes: none is called unreachable', () => {
    expect(verdicts(cluster(['ready', 9000]))).toEqual(['n1 suspect']);
    expect(verdicts(cluster(['suspect', 9000]))).toEqual([]);
    expect(verdicts(cluster(['suspect', 9000], ['ready', 0]))).toEqual([]);
    expect(verdicts(cluster(['suspect', 9000], ['ready', 0], ['lost', 9000]))).toEqual([]);
  });

  it('when more than half went silent together', () => {
    expect(verdicts(cluster(['suspect', 90], ['suspect', 91], ['ready', 0]))).toEqual([]);
    expect(verdicts(cluster(['suspect', 90], ['suspect', 91], ['ready', 0], ['ready', 0]))).toEqual([
      'n1 unreachable',
      'n2 unreachable',
    ]);
  });

  it('but not because of nodes that have long been away', () => {
    expect(
      verdicts(cluster(['unreachable', 9000], ['unreachable', 9000], ['suspect', 90], ['ready', 0], ['ready', 0])),
    ).toEqual(['n3 unreachable']);
  });
});

describe('any judgement', () => {
  const anyCluster = fc
    .array(fc.tuple(fc.constantFrom(...nodeStates), fc.integer({ min: 0, max: 200 })), { maxLength: 12 })
    .map((of) => cluster(...of));

  it('only makes worse, only what is silent, and never more than half unreachable at once', () => {
    fc.assert(
      fc.property(anyCluster, (nodes) => {
        const found = judgeNodes(nodes, limits);
        const present = nodes.filter((node) => node.state !== 'lost').length;
        expect(found.filter(({ to }) => to === 'unreachable').length * 2).toBeLessThanOrEqual(present);
        for (const { id, from, to } of found) {
          const node = nodes.find((one) => one.id === id);
          expect(node?.state).toBe(from);
          expect(node?.silentMs).toBeGreaterThanOrEqual(to === 'suspect' ? limits.suspectMs : limits.unreachableMs);
          expect(nodeStates.indexOf(to)).toBeGreaterThan(nodeStates.indexOf(from));
        }
      }),
    );
  });

  it('has been said once it is applied', () => {
    fc.assert(
      fc.property(anyCluster, (nodes) => {
        const said = new Map(judgeNodes(nodes, limits).map(({ id, to }) => [id, to]));
        const after = nodes.map((node) => ({ ...node, state: said.get(node.id) ?? node.state }));
        expect(judgeNodes(after, limits).filter(({ to }) => to === 'suspect')).toEqual([]);
      }),
    );
  });
});
