import { formatBytes } from '../../lib/bytes.ts';
import { formatDuration } from '../../lib/duration.ts';
import type { End } from '../../protocol/task-end.ts';
import type { TaskState } from '../../protocol/task-state.ts';
import type { Explanation, TaskUsage, TaskView } from '../../protocol/task-view.ts';
import { age, span } from './age.ts';
import type { Look, Style } from './style.ts';
import { type Cell, sheet, table } from './table.ts';

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

function stateCell(view: Pick<TaskView, 'state' | 'stuck'>, style: Style): Cell {
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

function why(view: TaskView): string {
  return view.end ? endSentence(view.end) : (view.reason?.message ?? '');
}

function ran(view: TaskView, nowMs: number): string {
  return view.endedAt === null ? age(view.startedAt, nowMs) : span(view.startedAt, view.endedAt);
}

export function taskTable(views: readonly TaskView[], { style, nowMs }: Look): string {
  return table(
    ['ID', 'NAME', 'STATE', 'NODE', 'AGE', 'RAN', 'WHY'],
    views.map((view) => [
      view.id,
      view.name,
      stateCell(view, style),
      view.nodeName ?? '',
      age(view.createdAt, nowMs),
      ran(view, nowMs),
      why(view),
    ]),
  );
}

/** What it uses now: `1.5 cores, 4 GiB, 40 GiB on GPU-5d6b…`. */
function usageText({ cpus, memory, gpus }: TaskUsage): string {
  const parts = [
    cpus === null ? null : `${Math.round(cpus * 100) / 100} cores`,
    memory === null ? null : formatBytes(memory),
    ...gpus.map((gpu) => `${formatBytes(gpu.memory)} on ${gpu.uuid}`),
  ];
  return parts.filter((part) => part !== null).join(', ');
}

/** A task with all that a person asks of it; the spec and the labels in short. */
export function taskSheet(view: TaskView, { style, nowMs }: Look): string {
  const usage = view.end?.usage;
  const labels = Object.entries(view.labels).map(([key, value]) => `${key}=${value}`);
  const image = view.spec['image'];
  return sheet([
    ['id', view.id],
    ['name', view.name],
    ['owner', view.owner],
    ['state', stateCell(view, style)],
    ['why', why(view) || null],
    ['advice', view.end ? null : (view.reason?.advice ?? null)],
    ['image', typeof image === 'string' ? image : null],
    ['priority', view.priority],
    ['node', view.nodeName === null ? null : `${view.nodeName} (${view.node})`],
    ['uses', view.usage ? usageText(view.usage) : null],
    ['gpus', view.gpus.length > 0 ? view.gpus.join(', ') : null],
    ['attempt', view.attempt > 1 ? String(view.attempt) : null],
    ['labels', labels.length > 0 ? labels.join(', ') : null],
    ['created', `${view.createdAt} (${age(view.createdAt, nowMs)} ago)`],
    ['started', view.startedAt],
    ['ended', view.endedAt],
    ['ran', view.startedAt === null ? null : ran(view, nowMs)],
    [
      'memory',
      usage?.memoryPeakBytes == null ? null : `${formatBytes(usage.memoryPeakBytes)} at the most`,
    ],
    ['cpu time', usage?.cpuTimeMs == null ? null : formatDuration(usage.cpuTimeMs)],
    ...view.reasons.map((one) => ['waits for', `${one.detail} (${one.nodes.join(', ')})`] as const),
  ]);
}

/** Why a task is where it is, node by node, and what would change it. */
export function explanationText(told: Explanation, style: Style): string {
  const head = sheet([
    ['task', told.id],
    ['state', told.state],
    ['reason', told.reason?.message ?? null],
    ['advice', told.reason?.advice ?? null],
    ['position', told.position === null ? null : String(told.position)],
    ['behind', told.ahead.length > 0 ? told.ahead.join(', ') : null],
    ...told.wouldHelp.map((one) => ['would help', one] as const),
  ]);
  if (told.nodes.length === 0) return head;
  const rows = told.nodes.map((one) => [
    one.nodeName,
    {
      text: one.fits ? 'yes' : 'no',
      style: (text: string) => style(one.fits ? 'green' : 'red', text),
    },
    one.cause ?? '',
    one.detail,
  ]);
  return `${head}\n${table(['NODE', 'FITS', 'CAUSE', 'DETAIL'], rows)}`;
}
