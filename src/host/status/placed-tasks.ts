import { inArray } from 'drizzle-orm';
import { placedStates } from '../../protocol/task-state.ts';
import type { Queryable } from '../store/database.ts';
import { tasks } from '../store/schema.ts';

/** GPUs of tasks that hold room on a node. */
export async function placedTasks(db: Queryable): Promise<{ gpus: readonly string[] }[]> {
  return db
    .select({ gpus: tasks.gpus })
    .from(tasks)
    .where(inArray(tasks.state, [...placedStates]));
}
