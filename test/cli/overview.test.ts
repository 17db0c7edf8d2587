import { describe, expect, it } from 'vitest';
import { createScreen } from '../../src/cli/follow/screen.ts';
import { bar } from '../../src/cli/output/bar.ts';
import { statusText } from '../../src/cli/output/status-text.ts';
import { overviewOf } from '../../src/cli/overview.ts';
import type { NodeView } from '../../src/protocol/node-view.ts';
import type { TaskView } from '../../src/protocol/task-view.ts';
import { captureOutput } from './cli-harness.ts';

const at = (minute: number): string => `2026-05-01T10:0${minute}:00.000Z`;
const look = { style: (_: unknown, text: string) => text, nowMs: Date.parse(at(9)) };
const gib = 1024 ** 3;

function task(id: string, more: Partial<TaskView>): TaskView {
  const resources = { cpus: 2, memory: gib, gpus: null };
  const view = {
    id,
    name: id,
    owner: 'ann',
    state: 'queued',
    stuck: false,
    priority: 'normal',
    gpus: [],
    reason: null,
    createdAt: at(0),
    spec: { resources },
  };
  return { ...view, ...more } as TaskView;
}

function node(name: string, more: Partial<NodeView>): NodeView {
  const amounts = { cpus: 8, memory: 16 * gib, gpus: 2 };
  const view = { id: name, name, state: 'ready', draining: null, capacity: amounts, load: null };
  return { ...view, allocated: { cpus: 4, memory: gib, gpus: 2 }, tasks: 3, ...more } as NodeView;
}

const because = (code: 'resources' | 'impossible') => ({
  code,
  message: `it is ${code}`,
  advice: '',
});

describe('the overview', () => {
  const tasks = [
    task('t1', { reason: because('resources'), createdAt: at(5) }),
    task('t2', { reason: because('resources'), createdAt: at(3) }),
    task('t3', { reason: because('impossible'), priority: 'urgent' }),
    task('t4', { state: 'running', owner: 'bob', gpus: ['a', 'b'] as TaskView['gpus'] }),
    task('t5', { state: 'running', members: { running: 3, queued: 4, succeeded: 1 } }),
    task('t6', { state: 'stopping', stuck: true, owner: 'bob' }),
  ];
  const nodes = [node('gpu-1', {}), node('gpu-2', { state: 'unreachable', capacity: null })];
  const overview = overviewOf(nodes, tasks);

  it('has the queue by class, the highest first, with members of arrays and the commonest reason first', () => {
    expect(overview.queue).toEqual([
      { priority: 'urgent', tasks: 1, since: at(0), reasons: [{ code: 'impossible', tasks: 1 }] },
      {
        priority: 'normal',
        tasks: 6,
        since: at(0),
        reasons: [
          { code: 'submitted', tasks: 4 },
          { code: 'resources', tasks: 2 },
        ],
      },
    ]);
  });

  it('has by owner what runs and what is kept for it', () => {
    expect(overview.running).toEqual([
      { owner: 'ann', tasks: 3, cpus: 6, memory: 3 * gib, gpus: 0 },
      { owner: 'bob', tasks: 2, cpus: 4, memory: 2 * gib, gpus: 2 },
    ]);
  });

  it('names what somebody should look at, and nothing else', () => {
    expect(overview.attention.map(({ subject }) => subject)).toEqual(['gpu-2', 't3', 't6']);
    expect(overviewOf([node('gpu-1', {})], tasks.slice(0, 2)).attention).toEqual([]);
  });

  it('is one screen of text', () => {
    const told = {
      cluster: 'c',
      version: '1',
      epoch: '1',
      nodes: { ready: 1, lost: 0 },
      tasks: {},
    };
    expect(statusText(told, overview, look)).toBe(
      `cluster:  c
version:  1
epoch:    1
nodes:    1 ready
tasks:    none

NODE   STATE        CPUS              MEMORY                     GPUS              TASKS
gpu-1  ready        [#####.....] 4/8  [#.........] 1 GiB/16 GiB  [##########] 2/2  3
gpu-2  unreachable  -                 -                          -                 3

QUEUE   TASKS  OLDEST  WHY
urgent  1      9m      1 impossible
normal  6      9m      4 submitted, 2 resources

OWNER  RUNNING  CPUS  MEMORY  GPUS
ann    3        6     3 GiB   0
bob    2        4     2 GiB   2

LOOK AT  WHY
gpu-2    unreachable
t3       impossible: it is impossible
t6       does not stop: its processes do not die
`,
    );
  });
});

describe('a bar', () => {
  it('shows a little as something and nearly all as not all', () => {
    expect([bar(0, 8), bar(1, 1000), bar(999, 1000), bar(8, 8), bar(9, 8), bar(0, 0)]).toEqual([
      '[..........]',
      '[#.........]',
      '[#########.]',
      '[##########]',
      '[##########]',
      '[..........]',
    ]);
  });
});

describe('a screen', () => {
  it('of a terminal is drawn over itself, cut to its height, and left as it was', () => {
    const terminal = Object.assign(captureOutput({ isTTY: true }), { rows: 4 });
    const screen = createScreen(terminal);
    screen.show('a\nb\n');
    screen.show('1\n2\n3\n4\n5\n');
    screen.leave();
    expect(terminal.text()).toBe(
      '\u001b[?7l\u001b[2J\u001b[Ha\u001b[K\nb\u001b[K\n\u001b[J\u001b[H1\u001b[K\n2\u001b[K\n… 3 more\u001b[K\n\u001b[J\u001b[?7h',
    );
  });

  it('elsewhere is block behind block, an empty line between those of several lines', () => {
    const pipe = captureOutput();
    const screen = createScreen(pipe);
    for (const text of ['A\nb\n', 'A\nc\n', '{}\n', '{}\n']) screen.show(text);
    screen.leave();
    expect(pipe.text()).toBe('A\nb\n\nA\nc\n{}\n{}\n');
  });
});
