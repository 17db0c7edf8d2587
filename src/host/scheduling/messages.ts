import { constraintText, coresText, gpusText, memoryText, plural, requestText } from './amounts.ts';
import { gpusFor, matches } from './constraints.ts';
import type { NodeTable } from './nodes.ts';
import type { ReasonCode } from './reasons.ts';
import type { Shape } from './shape.ts';
import type { SnapshotNode } from './snapshot.ts';

/** The sentence that is stored with a task: it moves only when the situation does. */
export function messageFor(code: ReasonCode, shape: Shape, table: NodeTable): string {
  const where = constraintText(shape.ask);
  const node = where === '' ? 'node' : `node ${where}`;
  const request = requestText(shape);
  switch (code) {
    case 'resources':
      return `No ready ${node} has ${request} free at once.`;
    case 'fragmented':
      return `There is room for ${request}, but not on any one ready ${node}.`;
    case 'reserved':
      return `The room for ${request} is kept for a task ahead in the queue.`;
    case 'priority':
      return `Tasks of a higher class wait for the same nodes and go first.`;
    case 'constraint':
      return `Other nodes have room now, but it asks for a ${node}.`;
    case 'node_not_ready':
      return `No ${node} that could hold ${request} is ready.`;
    case 'backoff':
      return `A start failed on each ready ${node} that could hold it.`;
    case 'depth':
      return 'The last pass ended before it came to this task.';
    case 'array_cap':
      return 'Its array has no room for more members at a time.';
    case 'no_nodes':
      return 'There is no node.';
    case 'impossible':
      return impossibleText(shape, table);
    case 'internal':
      return 'Planning this task failed.';
  }
}

function impossibleText(shape: Shape, table: NodeTable): string {
  const where = constraintText(shape.ask);
  const nodes = table.nodes.filter((node) => node.availability !== 'lost' && matches(node, shape.ask.constraints));
  if (nodes.length === 0) return `No node is ${where}.`;
  const among = where === '' ? 'any node' : `any node ${where}`;
  const most = (amount: (node: SnapshotNode) => number) => Math.max(...nodes.map(amount));
  const gpus = most((node) => gpusFor(node.capacity, shape.ask));
  const cpuMilli = most((node) => node.capacity.cpuMilli);
  const memoryBytes = most((node) => node.capacity.memoryBytes);
  if (shape.named !== null && shape.named.size === 0) return `Nowhere is ${requestText(shape)}.`;
  if (shape.gpuCount > gpus) {
    return `It asks for ${gpusText(shape)}, the most on ${among} is ${gpus}.`;
  }
  if (shape.cpuMilli > cpuMilli) {
    const [asked, has] = [coresText(shape.cpuMilli), coresText(cpuMilli)];
    return `It asks for ${plural(asked, 'core')}, the most on ${among} is ${has}.`;
  }
  if (shape.memoryBytes > memoryBytes) {
    const [asked, has] = [memoryText(shape.memoryBytes), memoryText(memoryBytes)];
    return `It asks for ${asked}, the most on ${among} is ${has}.`;
  }
  return `Not on ${among} are ${requestText(shape)} together.`;
}
