import { describe, expect, it } from 'vitest';
import { explain } from '../../../src/host/scheduling/explain.ts';
import { schedule } from '../../../src/host/scheduling/schedule.ts';
import type { Snapshot } from '../../../src/host/scheduling/snapshot.ts';
import { parseLabelExpression } from '../../../src/protocol/label-expression.ts';
import { node, policy, reasonOf, running, snapshot, startsOf, task } from '../../support/scheduling-cluster.ts';

const needing = (...needs: string[]) => ({ constraints: { node: null, labels: {}, needs } });

function labelled(expression: string) {
  const conditions = parseLabelExpression(expression);
  if (typeof conditions === 'string') throw new Error(conditions);
  return { constraints: { node: null, labels: {}, conditions } };
}

function verdicts(of: Partial<Snapshot>, taskId: string): string[] {
  const nodes = explain(snapshot(of), taskId, policy)?.nodes ?? [];
  return nodes.map(({ nodeId, cause, detail }) => `${nodeId} ${cause}: ${detail}`);
}

describe('what a node must offer', () => {
  const nodes = [
    node('n1'),
    node('n2', { offers: ['mount:data', 'privileged'] }),
    node('n3', { offers: ['mount:data', 'mount:data:rw'] }),
  ];

  it('sends a task where all of it is offered', () => {
    const queued = [task('t1', needing('mount:data:rw')), task('t2', needing('privileged'))];
    expect(startsOf(schedule(snapshot({ nodes, queued }), policy))).toEqual({ t1: 'n3', t2: 'n2' });
  });

  it('is named where it is missing', () => {
    const queued = [task('t1', needing('privileged', 'mount:data:rw'))];
    expect(verdicts({ nodes, queued }, 't1')).toEqual([
      'n1 offer: lacks mount:data:rw, privileged',
      'n2 offer: lacks mount:data:rw',
      'n3 offer: lacks privileged',
    ]);
    expect(reasonOf(schedule(snapshot({ nodes, queued }), policy), 't1')).toMatchObject({
      code: 'impossible',
      message: 'No node is with mount:data:rw, privileged.',
    });
  });

  it('is the reason where others that do not offer it have room', () => {
    const allocations = [running('r1', 'n2', { cpuMilli: 8000 })];
    const queued = [task('t1', needing('privileged'))];
    const plan = schedule(snapshot({ nodes, allocations, queued }), policy);
    expect(reasonOf(plan, 't1')).toMatchObject({
      code: 'constraint',
      message: 'Other nodes have room now, but it asks for a node with privileged.',
    });
  });
});

describe('conditions on labels', () => {
  const nodes = [
    node('n1', { labels: { gpu: 'a100', slow: 'yes' } }),
    node('n2', { labels: { gpu: 'h100' } }),
    node('n3'),
  ];

  it('must all hold', () => {
    const queued = [task('t1', labelled('gpu in (a100,h100), !slow'))];
    expect(startsOf(schedule(snapshot({ nodes, queued }), policy))).toEqual({ t1: 'n2' });
  });

  it('are named where they do not hold, after the labels', () => {
    const { conditions } = labelled('gpu in (a100,v100), !slow').constraints;
    const constraints = { node: null, labels: { gpu: 'v100' }, conditions };
    expect(verdicts({ nodes, queued: [task('t1', { constraints })] }, 't1')).toEqual([
      'n1 label: lacks gpu=v100, !slow',
      'n2 label: lacks gpu=v100, gpu in (a100,v100)',
      'n3 label: lacks gpu=v100, gpu in (a100,v100)',
    ]);
  });
});
