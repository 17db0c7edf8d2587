import { formatBytes } from '../../lib/bytes.ts';
import { formatDuration } from '../../lib/duration.ts';
import type { AttemptView, TaskUsage, TaskView } from '../../protocol/task-view.ts';
import { age, span } from './age.ts';
import { placementText, resourcesText, retryText, timeLimitText } from './spec-text.ts';
import type { Look } from './style.ts';
import { type Cell, sheet, table } from './table.ts';
import { countsText, endSentence, labelsText, ran, stateCell, why } from './task-text.ts';

type Rows = readonly (readonly [string, Cell | string | null])[];

/** A task with all that a person asks of it; the spec and the labels in short; its attempts where there were several. */
export function taskSheet(view: TaskView, look: Look): string {
  const attempts = view.attempts ?? [];
  const head = sheet([
    ...identity(view, look),
    ...wishes(view),
    ...course(view, look),
    ...consumption(view),
    ...view.reasons.map((one) => ['waits for', `${one.detail} (${one.nodes.join(', ')})`] as const),
  ]);
  return attempts.length > 1 ? `${head}\n${attemptTable(attempts, look)}` : head;
}

function identity(view: TaskView, { style }: Look): Rows {
  return [
    ['id', view.id],
    ['name', view.name],
    ['owner', view.owner],
    ['state', stateCell(view, style)],
    ['members', view.members ? countsText(view.members) : null],
    ['array', view.array ? `${view.array.id}, index ${view.array.index}` : null],
    ['batch', view.batch ?? null],
    ['why', why(view) || null],
    ['advice', view.end ? null : (view.reason?.advice ?? null)],
  ];
}

function wishes(view: TaskView): Rows {
  const { spec, labels } = view;
  const { image, array, hold } = spec;
  return [
    ['image', typeof image === 'string' ? image : null],
    ['indexes', typeof array === 'string' ? array : null],
    ['asks for', resourcesText(spec) || null],
    ['only on', placementText(spec)],
    ['priority', view.priority],
    ['time limit', timeLimitText(spec)],
    ['retries', retryText(spec)],
    ['node loss', nodeLossText(view)],
    ['held', hold === true && view.state === 'held' ? 'until `weir task release`' : null],
    ['labels', labelsText(labels) || null],
  ];
}

function nodeLossText({ onNodeLoss }: TaskView): string | null {
  if (onNodeLoss?.policy !== 'requeue') return null;
  const after = onNodeLoss.lease === null ? '' : ` after ${formatDuration(onNodeLoss.lease)}`;
  return `requeued${after} of silence`;
}

function course(view: TaskView, look: Look): Rows {
  return [
    ['node', view.nodeName === null ? null : `${view.nodeName} (${view.node})`],
    ['gpus', view.gpus.length > 0 ? view.gpus.join(', ') : null],
    ['attempt', view.attempt > 1 ? String(view.attempt) : null],
    ['not before', view.notBefore ?? null],
    ['created', `${view.createdAt} (${age(view.createdAt, look.nowMs)} ago)`],
    ['started', view.startedAt],
    ['ended', view.endedAt],
    ['ran', view.startedAt === null ? null : ran(view, look.nowMs)],
  ];
}

function consumption({ usage, end }: TaskView): Rows {
  const peak = end?.usage.memoryPeakBytes ?? null;
  const cpuMs = end?.usage.cpuTimeMs ?? null;
  return [
    ['uses', usage ? usageText(usage) : null],
    ['memory', peak === null ? null : `${formatBytes(peak)} at the most`],
    ['cpu time', cpuMs === null ? null : formatDuration(cpuMs)],
  ];
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

function attemptTable(attempts: readonly AttemptView[], { style, nowMs }: Look): string {
  return table(
    ['ATTEMPT', 'STATE', 'NODE', 'STARTED', 'RAN', 'WHY'],
    attempts.map((one) => [
      String(one.attempt),
      stateCell({ state: one.state, stuck: false }, style),
      one.nodeName,
      one.startedAt ?? '',
      one.endedAt === null ? age(one.startedAt, nowMs) : span(one.startedAt, one.endedAt),
      one.end ? endSentence(one.end) : '',
    ]),
  );
}
