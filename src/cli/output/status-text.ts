import { formatBytes } from '../../lib/bytes.ts';
import type { NodeView } from '../../protocol/node-view.ts';
import type { Overview, QueueLine } from '../overview.ts';
import { age } from './age.ts';
import { bar } from './bar.ts';
import { stateCell } from './node-text.ts';
import type { Look } from './style.ts';
import { sheet, table } from './table.ts';
import { countsText } from './task-text.ts';

export interface Told {
  cluster: string | null;
  version: string | null;
  epoch: string | null;
  nodes: Readonly<Record<string, number>>;
  tasks: Readonly<Record<string, number>>;
}

/** The whole of `weir status`. */
export function statusText(told: Told, overview: Overview, look: Look): string {
  const { queue, running, attention, nodes } = overview;
  const head = sheet([
    ['cluster', told.cluster],
    ['version', told.version],
    ['epoch', told.epoch],
    ['nodes', countsText(told.nodes) || 'none'],
    ['tasks', countsText(told.tasks) || 'none'],
  ]);
  const blocks = [
    ...(nodes.length > 0 ? [nodeBars(nodes, look)] : []),
    ...(queue.length > 0 ? [queueTable(queue, look)] : []),
    ...(running.length > 0 ? [runningTable(running)] : []),
    ...(attention.length > 0 ? [attentionTable(attention, look)] : []),
  ];
  return [head, ...blocks].join('\n');
}

function queueTable(queue: Overview['queue'], { nowMs }: Look): string {
  const why = ({ reasons }: QueueLine): string =>
    reasons
      .slice(0, 3)
      .map(({ code, tasks }) => `${tasks} ${code}`)
      .join(', ');
  return table(
    ['QUEUE', 'TASKS', 'OLDEST', 'WHY'],
    queue.map((one) => [one.priority, String(one.tasks), age(one.since, nowMs), why(one)]),
  );
}

function runningTable(running: Overview['running']): string {
  return table(
    ['OWNER', 'RUNNING', 'CPUS', 'MEMORY', 'GPUS'],
    running.map((one) => [one.owner, String(one.tasks), rounded(one.cpus), formatBytes(one.memory), String(one.gpus)]),
  );
}

function attentionTable(attention: Overview['attention'], { style }: Look): string {
  const rows = attention
    .slice(0, mostLines)
    .map(({ subject, what }) => [{ text: subject, style: (text: string) => style('red', text) }, what]);
  return table(['LOOK AT', 'WHY'], rows) + moreLine(attention.length);
}

/** What needs a look is told so far; the whole is in the JSON. */
const mostLines = 20;
const moreLine = (count: number): string => (count > mostLines ? `and ${count - mostLines} more\n` : '');

function nodeBars(nodes: readonly NodeView[], { style }: Look): string {
  return table(
    ['NODE', 'STATE', 'CPUS', 'MEMORY', 'GPUS', 'TASKS'],
    nodes.map((node) => [
      node.name,
      stateCell(node, style),
      shareOf(node, 'cpus', rounded),
      shareOf(node, 'memory', formatBytes),
      node.capacity?.gpus ? shareOf(node, 'gpus', String) : '',
      String(node.tasks),
    ]),
  );
}

function shareOf(
  { allocated, capacity }: NodeView,
  what: 'cpus' | 'memory' | 'gpus',
  text: (amount: number) => string,
): string {
  if (capacity === null) return '';
  const [used, total] = [allocated[what], capacity[what]];
  return `${bar(used, total)} ${text(used)}/${text(total)}`;
}

const rounded = (count: number): string => String(Math.round(count * 100) / 100);
