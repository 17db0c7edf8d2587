import { formatBytes } from '../../lib/bytes.ts';
import type { End } from '../../protocol/task-end.ts';
import type { TaskState } from '../../protocol/task-state.ts';
import type { TaskView } from '../../protocol/task-view.ts';
import { age, span } from './age.ts';
import type { Look, Style } from './style.ts';
import { resourcesText } from './spec-text.ts';
import { type Cell, table } from './table.ts';

const stateStyle = {
  held: 'yellow',
  queued: 'yellow',
  assigned: 'cyan',
  pulling: 'cyan',
  starting: 'cyan',
  running: 'blue',
  paused: 'yellow',
  stopping: 'yellow',
  succeeded: 'green',
  failed: 'red',
  killed: 'red',
  lost: 'red',
  rejected: 'red',
} as const satisfies Record<TaskState, string>;

export function stateCell(view: Pick<TaskView, 'state' | 'stuck'>, style: Style): Cell {
  return {
    text: view.stuck ? `${view.state} (stuck)` : view.state,
    style: (text) => style(stateStyle[view.state], text),
  };
}

/** The end in a few words: `exit 3`, `oom (limit 64 MiB)`, `timeout`. */
function endText(end: End): string {
  const words = {
    exit: `exit ${end.exitCode ?? '?'}`,
    signal: end.signal ?? 'signal',
    oom: end.evidence?.limitBytes ? `oom (limit ${formatBytes(end.evidence.limitBytes)})` : 'oom',
  };
  return end.cause in words ? words[end.cause as keyof typeof words] : end.cause;
}

/** The end with what is known of it beyond the cause; whoever killed it says so in the message. */
export function endSentence(end: End): string {
  if (end.message === '' || end.cause === 'exit') return endText(end);
  return end.cause === 'killed_by' ? end.message : `${endText(end)}: ${end.message}`;
}

export function why(view: TaskView): string {
  return view.end ? endSentence(view.end) : (view.reason?.message ?? '');
}

export function ran(view: TaskView, nowMs: number): string {
  return view.endedAt === null ? age(view.startedAt, nowMs) : span(view.startedAt, view.endedAt);
}

const columns = ['ID', 'NAME', 'STATE', 'NODE', 'AGE', 'RAN', 'WHY'] as const;

function cells(view: TaskView, { style, nowMs }: Look): (Cell | string)[] {
  return [
    view.id,
    view.name,
    stateCell(view, style),
    view.nodeName ?? '',
    age(view.createdAt, nowMs),
    ran(view, nowMs),
    view.members ? countsText(view.members) : why(view),
  ];
}

/** `3 running, 5 queued` */
export function countsText(counts: Readonly<Partial<Record<string, number>>>): string {
  const there = Object.entries(counts).filter(([, count]) => count !== undefined && count > 0);
  return there.map(([state, count]) => `${String(count)} ${state}`).join(', ');
}

export function taskTable(views: readonly TaskView[], look: Look): string {
  return table(
    columns,
    views.map((view) => cells(view, look)),
  );
}

/** With whose it is and what it asked for. */
export function wideTaskTable(views: readonly TaskView[], look: Look): string {
  return table(
    [...columns.slice(0, -1), 'OWNER', 'PRIORITY', 'ATTEMPT', 'ASKS FOR', 'BATCH', 'LABELS', 'WHY'],
    views.map((view) => {
      const usual = cells(view, look);
      const more = [
        view.owner,
        view.priority,
        String(view.attempt),
        resourcesText(view.spec),
        view.batch ?? '',
        labelsText(view.labels),
      ];
      return [...usual.slice(0, -1), ...more, ...usual.slice(-1)];
    }),
  );
}

export function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');
}
