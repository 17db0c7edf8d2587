import type { NodeId } from '../../protocol/ids.ts';
import type { Hardware } from '../../protocol/node-report.ts';
import { reason } from '../../protocol/reason.ts';
import type { Transaction } from '../store/database.ts';
import { moveTask } from '../tasks/move.ts';
import type { TaskRow } from '../tasks/view.ts';
import { placedTasks } from './queries.ts';

/** A part of a machine that came or went; of cores and memory, how much. */
export type HardwarePart =
  | { what: 'gpu'; uuid: string; index: number; model: string }
  | { what: 'cpus'; cpus: number }
  | { what: 'memory'; memory: number };

export interface HardwareChange {
  added: HardwarePart[];
  removed: HardwarePart[];
}

/** What came and what went between two reports; `null` when nothing that work can hold did. */
export function hardwareChange(before: Hardware, now: Hardware): HardwareChange | null {
  const change: HardwareChange = {
    added: [...newGpus(before, now), ...growth(before, now)],
    removed: [...newGpus(now, before), ...growth(now, before)],
  };
  return change.added.length + change.removed.length > 0 ? change : null;
}

function newGpus(before: Hardware, now: Hardware): HardwarePart[] {
  const known = new Set(before.gpus.map(({ uuid }) => uuid));
  return now.gpus.flatMap(({ uuid, index, model }) =>
    known.has(uuid) ? [] : [{ what: 'gpu' as const, uuid, index, model }],
  );
}

function growth(before: Hardware, now: Hardware): HardwarePart[] {
  const cpuMilli = now.cpuMilli - before.cpuMilli;
  const memory = now.memoryBytes - before.memoryBytes;
  return [
    ...(cpuMilli > 0 ? [{ what: 'cpus' as const, cpus: cpuMilli / 1000 }] : []),
    ...(memory > 0 ? [{ what: 'memory' as const, memory }] : []),
  ];
}

/** Says of the work on a node which of its GPUs the node does not see any more; the work itself is left alone. */
export async function tellMissingGpus(
  tx: Transaction,
  { node, nodeName, hardware, nowMs }: { node: NodeId; nodeName: string; hardware: Hardware; nowMs: number },
): Promise<void> {
  const present = new Set(hardware.gpus.map(({ uuid }) => uuid));
  for (const task of await placedTasks(tx, node)) {
    if (task.state !== 'running' && task.state !== 'paused') continue;
    const missing = task.gpus.filter((uuid) => !present.has(uuid));
    const now =
      missing.length > 0
        ? reason('gpu_missing', `${nodeName} does not see ${missing.join(', ')} any more`)
        : reasonWithout(task);
    if (now?.message === task.reason?.message) continue;
    await moveTask(tx, task, { to: task.state, set: { reason: now }, atMs: nowMs });
  }
}

function reasonWithout(task: TaskRow): TaskRow['reason'] {
  if (task.reason?.code !== 'gpu_missing') return task.reason;
  return task.state === 'paused' ? reason('paused', 'it was paused') : null;
}
