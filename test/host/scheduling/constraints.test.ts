import { describe, expect, it } from 'vitest';
import { couldEverFit } from '../../../src/host/scheduling/constraints.ts';
import { gpus, node, task } from '../../support/scheduling-cluster.ts';

describe('what could ever run', () => {
  it.each(['ready', 'suspect', 'unreachable', 'draining', 'cordoned', 'unsynced'] as const)(
    'counts a node that is %s',
    (availability) => {
      expect(couldEverFit(task('t1'), [node('n1', { availability })])).toBe(true);
    },
  );

  it('does not count a lost node', () => {
    expect(couldEverFit(task('t1'), [node('n1', { availability: 'lost' })])).toBe(false);
  });

  it('needs all of it on one node that the constraints allow', () => {
    const nodes = [node('n1', { cpuMilli: 16_000 }), node('n2', { gpus: gpus('n2', 2) })];
    expect(couldEverFit(task('t1', { gpus: { count: 2 } }), nodes)).toBe(true);
    expect(couldEverFit(task('t1', { gpus: { count: 2 }, cpuMilli: 9000 }), nodes)).toBe(false);
    const onFirst = { constraints: { node: 'n1', labels: {} } };
    expect(couldEverFit(task('t1', { gpus: { count: 2 }, ...onFirst }), nodes)).toBe(false);
    expect(couldEverFit(task('t1', { gpus: { uuids: ['GPU-n2-1', 'GPU-n2-0'] } }), nodes)).toBe(true);
    expect(couldEverFit(task('t1', { gpus: { uuids: ['GPU-n2-1', 'GPU-n9-0'] } }), nodes)).toBe(false);
  });

  it('takes a label for itself, not for what every object has', () => {
    const labels = { constructor: 'x' };
    expect(couldEverFit(task('t1', { constraints: { node: null, labels } }), [node('n1')])).toBe(false);
  });
});
