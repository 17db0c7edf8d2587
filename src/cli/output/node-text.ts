import { formatBytes } from '../../lib/bytes.ts';
import type { NodeState, NodeView } from '../../protocol/node-view.ts';
import { age } from './age.ts';
import { gpuLines, loadCells, loadLines } from './machine-text.ts';
import type { Look, Style } from './style.ts';
import { type Cell, sheet, table } from './table.ts';

const stateStyle = {
  ready: 'green',
  suspect: 'yellow',
  unreachable: 'red',
  lost: 'red',
} as const satisfies Record<NodeState, string>;

export function stateCell(node: NodeView, style: Style): Cell {
  return {
    text: [node.state, ...closedWords(node)].join(', '),
    style: (text) => style(stateStyle[node.state], text),
  };
}

function closedWords({ draining, cordoned, held }: NodeView): string[] {
  return [draining && 'draining', cordoned && 'cordoned', held && 'held'].filter((word) => typeof word === 'string');
}

const cores = (count: number): string => String(Math.round(count * 100) / 100);

/** What is promised of what there is: `1.5/8`. */
function share(node: NodeView, what: 'cpus' | 'memory' | 'gpus'): string {
  const text = what === 'memory' ? formatBytes : cores;
  return node.capacity === null ? '' : `${text(node.allocated[what])}/${text(node.capacity[what])}`;
}

const columns = ['ID', 'NAME', 'STATE', 'CPUS', 'MEMORY', 'GPUS', 'TASKS', 'SEEN'];

export function nodeTable(nodes: readonly NodeView[], look: Look): string {
  return table(
    columns,
    nodes.map((node) => row(node, look)),
  );
}

/** With how busy each is, and its labels. */
export function wideNodeTable(nodes: readonly NodeView[], look: Look): string {
  const more = ['LOAD', 'FREE', 'GPU USE', 'GPU MEMORY', 'HOTTEST', 'WEIR', 'LABELS'];
  return table(
    [...columns, ...more],
    nodes.map((node) => [...row(node, look), ...loadCells(node), node.version ?? '', labelText(node)]),
  );
}

function row(node: NodeView, { style, nowMs }: Look): (Cell | string)[] {
  return [
    node.id,
    node.name,
    stateCell(node, style),
    share(node, 'cpus'),
    share(node, 'memory'),
    share(node, 'gpus'),
    String(node.tasks),
    node.lastContactAt === null ? 'never' : `${age(node.lastContactAt, nowMs)} ago`,
  ];
}

function labelText(node: NodeView): string {
  return Object.entries(node.labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');
}

export function nodeSheet(node: NodeView, { style, nowMs }: Look): string {
  const { hardware, load } = node;
  const engine = hardware?.engine;
  return sheet([
    ['id', node.id],
    ['name', node.name],
    ['state', stateCell(node, style)],
    ['draining', node.draining ? `${node.draining.reason} (by ${node.draining.by}, ${node.draining.since})` : null],
    ['cordoned', node.cordoned ? `${node.cordoned.reason} (by ${node.cordoned.by}, ${node.cordoned.since})` : null],
    ['held', node.held ? `${node.held.reason} (since ${node.held.since})` : null],
    ['tasks', String(node.tasks)],
    ['cpus', share(node, 'cpus') || null],
    ['memory', share(node, 'memory') || null],
    ['gpus', share(node, 'gpus') || null],
    ...gpuLines(node),
    ['labels', labelText(node) || null],
    ...loadLines(load),
    [
      'machine',
      hardware ? `${hardware.hostname}, ${hardware.cpuModel ?? hardware.architecture}, Linux ${hardware.kernel}` : null,
    ],
    ['engine', engine ? `${engine.name} ${engine.version}, cgroup ${engine.cgroup}, ${engine.storageDriver}` : null],
    ['weir', node.version],
    ['joined', node.joinedAt],
    ['seen', node.lastContactAt === null ? 'never' : `${age(node.lastContactAt, nowMs)} ago`],
  ]);
}
