import type { TaskView } from '../../protocol/task-view.ts';
import type { HostContext } from '../context.ts';
import { nodeReasons } from './explain.ts';
import { findTask, readAttempts } from './queries.ts';
import { createUsageBook } from './usage.ts';
import { toAttemptView, toTaskView, type TaskRow } from './view.ts';

type Slice = Pick<HostContext, 'db' | 'planMemory' | 'presence' | 'clock' | 'config'>;

/** The whole view of one task, with its attempts. @throws ProblemError `not_found`, `state_conflict` */
export async function readTaskView(ctx: Slice, ref: string): Promise<TaskView> {
  return viewOf(ctx, await findTask(ctx.db, ref));
}

export async function viewOf(ctx: Slice, row: TaskRow): Promise<TaskView> {
  const attempts = await readAttempts(ctx.db, row.id);
  return {
    ...toTaskView(row, nodeReasons(ctx, row), createUsageBook(ctx)(row)),
    attempts: attempts.map(toAttemptView),
  };
}
