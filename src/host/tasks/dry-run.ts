import { taskId } from '../../protocol/ids.ts';
import type { TaskSpec } from '../../protocol/task-spec.ts';
import type { DryRun } from '../../protocol/task-view.ts';
import type { HostContext } from '../context.ts';
import { explain } from '../scheduling/explain.ts';
import { acceptSpec } from './accept.ts';
import { toExplanation } from './explain.ts';
import { newRows } from './new-rows.ts';
import { readSnapshot, schedulingPolicy, toSnapshotTask } from './snapshot.ts';
import { toTaskView } from './view.ts';

type Slice = Pick<HostContext, 'db' | 'presence' | 'clock' | 'config' | 'planMemory'>;

/**
 * What the scheduler would do with a task that is submitted now: accepted and judged like a real one, and not kept.
 * @throws ProblemError as a submission
 */
export async function dryRun(ctx: Slice, spec: TaskSpec, owner: string): Promise<DryRun> {
  const accepted = await acceptSpec(ctx.db, spec, { config: ctx.config, pointer: '' });
  const nowMs = ctx.clock.now();
  const [row] = newRows({ spec: { ...accepted, array: undefined }, number: unusedNumber, owner, batch: null, nowMs });
  if (!row) throw new Error('a spec made no row');
  const held = ctx.planMemory.last()?.held ?? { reservations: [] };
  const snapshot = await readSnapshot(ctx, ctx.db, held);
  const found = explain(
    { ...snapshot, queued: [...snapshot.queued, toSnapshotTask(row)] },
    row.id,
    schedulingPolicy(ctx.config),
  );
  const { id: _id, ...task } = toTaskView(row, []);
  const { id: _same, ...explanation } = toExplanation(row, found);
  return {
    task,
    explanation,
    startsNow: found?.start === null || !found ? null : { node: found.start.nodeId, gpus: [...found.start.gpuUuids] },
  };
}

/** Behind every task there is: it goes last, as a new one does. */
const unusedNumber = taskId.toCounter(taskId.fromStored(2 ** 52));
