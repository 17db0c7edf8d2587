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
    for (const [from, to] of Object.entries(taskTransitions)) {
      expect(new Set(to).size, from).toBe(to.length);
      expect(to, from).not.toContain(from);
    }
  });

  it('divides the states into waiting, placed and ended ones', () => {
    for (const state of taskStates) expect([isPlaced(state), isEnded(state)].filter(Boolean).length, state).toBeLessThan(2);
    expect(taskStates.filter((state) => !isPlaced(state) && !isEnded(state))).toEqual(['held', 'queued']);
    expect([...placedStates, ...endedStates].every((state) => taskStates.includes(state))).toBe(true);
  });

  it.each(arrows)('$from → $to goes by the rules', ({ from, to }) => {
    if (isEnded(from)) expect(to).toBe('queued');
    if (from === 'succeeded') expect(to).toBe('never');
    if (to === 'assigned') expect(from).toBe('queued');
    if (isPlaced(to) && to !== 'assigned') expect(isPlaced(from)).toBe(true);
    if (to === 'succeeded') expect(isPlaced(from)).toBe(true);
    if (from === 'stopping') expect(isPlaced(to)).toBe(false);
  });

  it('reaches an end from everywhere, and everything from the start', () => {
    for (const state of taskStates) if (!isEnded(state)) expect([...reachable(state)].some(isEnded), state).toBe(true);
    expect([...reachable('held')].toSorted()).toEqual(taskStates.filter((state) => state !== 'held' || canMove('queued', 'held')).toSorted());
  });

  it('lets each state on a node end in every way that a node can tell, and wait for another attempt', () => {
    for (const state of placedStates) expect(taskTransitions[state]).toEqual(expect.arrayContaining(['succeeded', 'failed', 'killed', 'lost', 'queued']));
  });

  it('lets a task be killed wherever it has not ended', () => {
    const kill: readonly TaskState[] = taskVerbs.kill;
    for (const state of taskStates) {
      expect(kill.includes(state), state).toBe(!isEnded(state));
      if (!isEnded(state)) expect(canMove(state, 'killed') || canMove(state, 'stopping'), state).toBe(true);
    }
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
    expect(bareEnd('node_lost', 'gone')).toMatchObject({ exitCode: null, signal: null, evidence: null, usage: { memoryPeakBytes: null, cpuTimeMs: null } });
  });
});
