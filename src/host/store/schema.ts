import { sql } from 'drizzle-orm';
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import type { EventType } from '../../protocol/event.ts';
import type { CapacityReport, Load } from '../../protocol/node-report.ts';
import type { NodeState } from '../../protocol/node-view.ts';
import type { Reason } from '../../protocol/reason.ts';
import type { ObservedState, StopOrder } from '../../protocol/sync.ts';
import type { End } from '../../protocol/task-end.ts';
import type { StoredTaskSpec } from '../../protocol/task-spec.ts';
import type { TaskState } from '../../protocol/task-state.ts';
import { batchIdColumn, nodeIdColumn, taskIdColumn } from './columns.ts';

/** Milliseconds since 1970 by the Host's clock, in every column whose name ends so. */
const ms = (name: string) => integer(name);

/** One row each: `cluster`, `epoch`; `signing_key` where several Hosts share the database. */
export const meta = sqliteTable('meta', { key: text().primaryKey(), value: text().notNull() });

/** The next number of each kind of id. Numbers are never given twice, also when rows go. */
export const counters = sqliteTable('counters', { kind: text().primaryKey(), next: integer().notNull() });

export const nodes = sqliteTable(
  'nodes',
  {
    id: nodeIdColumn().primaryKey(),
    name: text().notNull(),
    publicKey: text('public_key').notNull(),
    machineId: text('machine_id').notNull(),
    tlsPin: text('tls_pin'),
    labels: text({ mode: 'json' }).$type<Record<string, string>>().notNull(),
    state: text().$type<NodeState>().notNull(),
    draining: text({ mode: 'json' }).$type<{ kind: 'drain' | 'cordon'; reason: string; sinceMs: number; by: string }>(),
    rev: integer().notNull(),
    /** Moves whenever what is desired of the node changes. */
    generation: integer().notNull(),
    capacity: text({ mode: 'json' }).$type<CapacityReport>(),
    apiAddress: text('api_address'),
    dataAddress: text('data_address'),
    boot: text(),
    /** The one before: when it comes back, two processes have this node's key. */
    formerBoot: text('former_boot'),
    /** Refused until an operator decides. */
    held: text({ mode: 'json' }).$type<{ reason: string; sinceMs: number }>(),
    joinedMs: ms('joined_ms').notNull(),
    lastContactMs: ms('last_contact_ms'),
    removedMs: ms('removed_ms'),
  },
  (row) => [
    uniqueIndex('nodes_name')
      .on(row.name)
      .where(sql`removed_ms is null`),
  ],
);

export const tasks = sqliteTable(
  'tasks',
  {
    id: taskIdColumn().primaryKey(),
    name: text().notNull(),
    owner: text().notNull(),
    state: text().$type<TaskState>().notNull(),
    stuck: integer({ mode: 'boolean' }).notNull(),
    priority: integer().notNull(),
    spec: text({ mode: 'json' }).$type<StoredTaskSpec>().notNull(),
    /** The present attempt's place, or the last one's. */
    node: nodeIdColumn().references(() => nodes.id),
    nodeName: text('node_name'),
    batch: batchIdColumn(),
    /** Of an array: its members by state. Not scheduled itself. */
    members: text({ mode: 'json' }).$type<Partial<Record<TaskState, number>>>(),
    /** Of an array: most members that run together. */
    together: integer(),
    /** Not placed before. */
    eligibleMs: ms('eligible_ms'),
    /** Attempts that failed and were tried again by themselves. */
    failures: integer().notNull().default(0),
    /** 0 until first assigned. */
    attempt: integer().notNull(),
    gpus: text({ mode: 'json' }).$type<readonly string[]>().notNull(),
    rev: integer().notNull(),
    reason: text({ mode: 'json' }).$type<Reason>(),
    end: text({ mode: 'json' }).$type<End>(),
    createdMs: ms('created_ms').notNull(),
    startedMs: ms('started_ms'),
    endedMs: ms('ended_ms'),
  },
  (row) => [
    index('tasks_queue').on(row.state, row.priority, row.id),
    index('tasks_node').on(row.node, row.id),
    index('tasks_name').on(row.name, row.id),
    index('tasks_owner').on(row.owner, row.id),
    index('tasks_batch').on(row.batch, row.id),
  ],
);

export const taskLabels = sqliteTable(
  'task_labels',
  {
    key: text().notNull(),
    value: text().notNull(),
    task: taskIdColumn()
      .notNull()
      .references(() => tasks.id, { onDelete: 'cascade' }),
  },
  (row) => [primaryKey({ columns: [row.key, row.value, row.task] }), index('task_labels_task').on(row.task)],
);

export const attempts = sqliteTable(
  'attempts',
  {
    task: taskIdColumn()
      .notNull()
      .references(() => tasks.id, { onDelete: 'cascade' }),
    attempt: integer().notNull(),
    node: nodeIdColumn()
      .notNull()
      .references(() => nodes.id),
    nodeName: text('node_name').notNull(),
    gpus: text({ mode: 'json' }).$type<readonly string[]>().notNull(),
    state: text().$type<TaskState>().notNull(),
    /** The node's generation at which what is desired of the attempt last changed. */
    generation: integer().notNull(),
    /** What the Runner reported last; `null` until it has. The state may be ahead of it (`stopping`). */
    observed: text().$type<ObservedState>(),
    stuck: integer({ mode: 'boolean' }).notNull(),
    stop: text({ mode: 'json' }).$type<StopOrder>(),
    /** It is to be frozen. */
    paused: integer({ mode: 'boolean' }).notNull().default(false),
    assignedMs: ms('assigned_ms').notNull(),
    startedMs: ms('started_ms'),
    endedMs: ms('ended_ms'),
    end: text({ mode: 'json' }).$type<End>(),
  },
  (row) => [
    primaryKey({ columns: [row.task, row.attempt] }),
    index('attempts_live')
      .on(row.node)
      .where(sql`ended_ms is null`),
  ],
);

export const events = sqliteTable(
  'events',
  {
    seq: integer().primaryKey({ autoIncrement: true }),
    atMs: ms('at_ms').notNull(),
    type: text().$type<EventType>().notNull(),
    kind: text().$type<'task' | 'node'>().notNull(),
    /** The subject's id as text: kinds share the column. */
    subject: text().notNull(),
    rev: integer().notNull(),
    attempt: integer(),
    actor: text(),
    data: text({ mode: 'json' }).$type<Record<string, unknown>>(),
  },
  (row) => [index('events_subject').on(row.kind, row.subject, row.seq)],
);

/** Every credential that can be used: the row is what makes it valid, the token itself is not stored. */
export const credentials = sqliteTable('credentials', {
  id: integer().primaryKey(),
  /** SHA-256 of the token's `jti`. */
  jtiHash: text('jti_hash').notNull().unique(),
  kind: text().$type<'api' | 'join'>().notNull(),
  subject: text().notNull(),
  scopes: text({ mode: 'json' }).$type<readonly string[]>().notNull(),
  createdMs: ms('created_ms').notNull(),
  expiresMs: ms('expires_ms'),
  usedMs: ms('used_ms'),
  revokedMs: ms('revoked_ms'),
});

export const idempotency = sqliteTable(
  'idempotency',
  {
    principal: text().notNull(),
    route: text().notNull(),
    key: text().notNull(),
    bodyHash: text('body_hash').notNull(),
    /** Ids of what the first request made, in its order. */
    made: text({ mode: 'json' }).$type<readonly string[]>().notNull(),
    createdMs: ms('created_ms').notNull(),
  },
  (row) => [primaryKey({ columns: [row.principal, row.route, row.key] }), index('idempotency_age').on(row.createdMs)],
);

/** What one Host at a time may do, where several share a database. Times are the database's own. */
export const leases = sqliteTable('leases', {
  name: text().primaryKey(),
  holder: text().notNull(),
  /** Raised whenever the holder changes: a write under an older number is refused. */
  fence: integer().notNull(),
  expiresMs: ms('expires_ms').notNull(),
});

/** Last contacts of nodes with any Host, where several share a database. Times are the database's own. */
export const contacts = sqliteTable('contacts', {
  node: nodeIdColumn()
    .primaryKey()
    .references(() => nodes.id, { onDelete: 'cascade' }),
  atMs: ms('at_ms').notNull(),
  load: text({ mode: 'json' }).$type<Load>(),
});

/** Sessions of Runners, where several Hosts share a database; their keys are derived, not stored. */
export const runnerSessions = sqliteTable('runner_sessions', {
  id: text().primaryKey(),
  node: nodeIdColumn()
    .notNull()
    .references(() => nodes.id, { onDelete: 'cascade' }),
  /** SHA-256 of the `jti` of the proof that began it: each begins one. */
  proofHash: text('proof_hash').notNull().unique(),
  lastSeq: integer('last_seq').notNull(),
  expiresMs: ms('expires_ms').notNull(),
});
