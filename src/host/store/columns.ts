import { customType } from 'drizzle-orm/sqlite-core';
import { batchId, nodeId, taskId, type BatchId, type NodeId, type TaskId } from '../../protocol/ids.ts';

/** Ids are stored as their counter, so that rows lie in order of creation and keys stay small. */
export const taskIdColumn = customType<{ data: TaskId; driverData: number }>({
  dataType: () => 'integer',
  toDriver: (id) => taskId.toStored(id),
  fromDriver: (stored) => taskId.fromStored(stored),
});

export const nodeIdColumn = customType<{ data: NodeId; driverData: number }>({
  dataType: () => 'integer',
  toDriver: (id) => nodeId.toStored(id),
  fromDriver: (stored) => nodeId.fromStored(stored),
});

export const batchIdColumn = customType<{ data: BatchId; driverData: number }>({
  dataType: () => 'integer',
  toDriver: (id) => batchId.toStored(id),
  fromDriver: (stored) => batchId.fromStored(stored),
});
