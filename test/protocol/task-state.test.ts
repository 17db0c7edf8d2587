import { describe, expect, it } from 'vitest';
import { bareEnd, endCauses, endedState, type EndCause } from '../../src/protocol/task-end.ts';
import {
  canMove,
  endedStates,
  isEnded,
  isPlaced,
  placedStates,
  taskStates,
  taskTransitions,
  taskVerbs,
  type TaskState,
} from '../../src/protocol/task-state.ts';

const arrows = taskStates.flatMap((from) => taskStates.filter((to) => canMove(from, to)).map((to) => ({ from, to })));

/** All states that can come after this one, however long it takes. */
function reachable(from: TaskState): Set<TaskState> {
  const seen = new Set<TaskState>();
  const open = [from];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    for (const to of taskTransitions[state]) {
      if (!seen.has(to)) open.push(to);
      seen.add(to);
    }
  }
  return seen;
}

describe('the table of states', () => {
  it('has a row for each state, with states alone, each once and never itself', () => {
    expect(Object.keys(taskTransitions)).toEqual([...taskStates]);
    const odd = Object.entries(taskTransitions).filter(
      ([from, to]) => new Set(to).size !== to.length || (to as readonly string[]).includes(from),
    );
    expect(odd).toEqual([]);
  });

  it('divides the states into waiting, placed and ended ones', () => {
    expect(taskStates.filter((state) => isPlaced(state) && isEnded(state))).toEqual([]);
    expect(taskStates.filter((state) => !isPlaced(state) && !isEnded(state))).toEqual(['held', 'queued']);
    expect([...placedStates, ...endedStates].every((state) => taskStates.includes(state))).toBe(true);
  });

  it.each(arrows)('$from → $to goes by the rules', ({ from, to }) => {
    const rules = {
      'what has ended may only be tried again': !isEnded(from) || to === 'queued',
      'a task comes to a node from the queue alone': to !== 'assigned' || from === 'queued',
      'what is on a node was assigned before': !isPlaced(to) || to === 'assigned' || isPlaced(from),
      'success comes from a node': to !== 'succeeded' || isPlaced(from),
      'a stop is not taken back': from !== 'stopping' || !isPlaced(to),
    };
    expect(Object.entries(rules).filter(([, holds]) => !holds)).toEqual([]);
  });

  it('reaches an end from everywhere, and everything from the start', () => {
    expect(taskStates.filter((state) => !isEnded(state) && ![...reachable(state)].some(isEnded))).toEqual([]);
    expect([...reachable('held')].toSorted()).toEqual(
      taskStates.filter((state) => state !== 'held' || canMove('queued', 'held')).toSorted(),
    );
  });

  it('lets each state on a node end in every way that a node can tell, and wait for another attempt', () => {
    for (const state of placedStates)
      expect(taskTransitions[state]).toEqual(
        expect.arrayContaining(['succeeded', 'failed', 'killed', 'lost', 'queued']),
      );
  });

  it('lets a task be killed wherever it has not ended', () => {
    const kill: readonly TaskState[] = taskVerbs.kill;
    expect(kill.toSorted()).toEqual(taskStates.filter((state) => !isEnded(state)).toSorted());
    expect(kill.filter((state) => !canMove(state, 'killed') && !canMove(state, 'stopping'))).toEqual([]);
  });
});

describe('an end', () => {
  const table: Record<EndCause, TaskState> = {
    exit: 'failed',
    signal: 'failed',
    oom: 'failed',
    timeout: 'failed',
    image_not_found: 'failed',
    image_pull_failed: 'failed',
    start_failed: 'failed',
    engine_restart: 'failed',
    container_removed: 'failed',
    preempted: 'failed',
    node_lost: 'lost',
    killed_by: 'killed',
    dependency_failed: 'rejected',
    approval_refused: 'rejected',
  };

  it.each(endCauses)('by %s leads to its state', (cause) => {
    for (const exitCode of [null, 1, 137, 255]) expect(endedState({ cause, exitCode })).toBe(table[cause]);
  });

  it('is a success by exit 0 alone', () => {
    expect(endCauses.filter((cause) => endedState({ cause, exitCode: 0 }) === 'succeeded')).toEqual(['exit']);
    expect(endedState({ cause: 'exit', exitCode: null })).toBe('failed');
  });

  it('without a process claims nothing of one', () => {
    expect(bareEnd('node_lost', 'gone')).toMatchObject({
      exitCode: null,
      signal: null,
      evidence: null,
      usage: { memoryPeakBytes: null, cpuTimeMs: null },
    });
  });
});
