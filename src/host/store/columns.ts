import { customType } from 'drizzle-orm/sqlite-core';
import { nodeId, taskId, type NodeId, type TaskId } from '../../protocol/ids.ts';

/** Ids are stored as their counter, so that rows lie in order of creation and keys stay small. */
export const taskIdColumn = customType<{ data: TaskId; driverData: number }>({
  dataType: () => 'integer',
  toDriver: (id) => taskId.toCounter(id),
  fromDriver: (counter) => taskId.fromCounter(counter),
});

export const nodeIdColumn = customType<{ data: NodeId; driverData: number }>({
  dataType: () => 'integer',
  toDriver: (id) => nodeId.toCounter(id),
  fromDriver: (counter) => nodeId.fromCounter(counter),
});
