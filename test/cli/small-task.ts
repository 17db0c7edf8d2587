import type { TaskState } from '../../src/protocol/task-state.ts';

type Fields = Record<string, unknown>;

/** A task of the small Host. */
export interface SmallTask {
  view: Fields & { id: string; state: TaskState; attempt: number; rev: number };
  records: { attempt: number; stream: string; bytes: Buffer; offset: number }[];
}

export const at = '2026-01-02T03:04:05.678Z';

/** As it is when it was just submitted. */
export function newView(id: string, spec: Fields, more: Fields): SmallTask['view'] {
  return {
    id,
    name: typeof spec['name'] === 'string' ? spec['name'] : id,
    owner: 'ann',
    state: 'queued',
    stuck: false,
    priority: 'normal',
    node: null,
    nodeName: null,
    attempt: 0,
    rev: 0,
    reason: { code: 'resources', message: 'waits for 1 core', advice: 'wait' },
    reasons: [],
    end: null,
    createdAt: at,
    startedAt: null,
    endedAt: null,
    labels: {},
    gpus: [],
    spec,
    ...more,
  };
}
