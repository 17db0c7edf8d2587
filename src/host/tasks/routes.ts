import { Hono, type Context } from 'hono';
import * as v from 'valibot';
import { duration, labels as labelsSchema, strict, text } from '../../protocol/schema.ts';
import { listSchema, pageSize } from '../../protocol/list.ts';
import { ProblemError } from '../../protocol/problem.ts';
import { batchId, taskId, type TaskId } from '../../protocol/ids.ts';
import { taskSpecSchema } from '../../protocol/task-spec.ts';
import { taskStates } from '../../protocol/task-state.ts';
import { explanationSchema, taskViewSchema, type TaskView } from '../../protocol/task-view.ts';
import { principalOf, requires, type AccessEnv } from '../auth/access.ts';
import type { HostContext } from '../context.ts';
import { lastEventSeq } from '../events/queries.ts';
import { batchBody, jsonBody } from '../http/body.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { describe } from '../http/describe.ts';
import { flag, limitParameter, noQuery, reference } from '../http/parameters.ts';
import { validated } from '../http/validate.ts';
import { dryRun } from './dry-run.ts';
import { explainTask, nodeReasons } from './explain.ts';
import type { Replayable } from './idempotency.ts';
import { findNodeId, listTasks, readTask } from './queries.ts';
import { readTaskView, viewOf } from './read-view.ts';
import { submitTasks, type Submission } from './submit.ts';
import { createUsageBook } from './usage.ts';
import { toTaskView, type TaskRow } from './view.ts';
import { waitForTask } from './wait.ts';

const submitQuery = strict({ strict: v.optional(flag), dryRun: v.optional(flag) });
const batchQuery = strict({ strict: v.optional(flag) });
const waitQuery = strict({ timeout: v.optional(v.pipe(duration, v.maxValue(600_000, 'at most 10m')), 60_000) });
const batchSchema = v.pipe(
  v.array(taskSpecSchema, 'must be an array of task specs'),
  v.minLength(1, 'at least one task'),
  v.maxLength(1000, 'at most 1,000 tasks in one batch'),
);
const stateList = v.pipe(
  v.string(),
  v.transform((text) => text.split(',')),
  v.array(v.picklist(taskStates, `must be states out of ${taskStates.join(', ')}`)),
);
const listQuery = strict({
  state: v.optional(stateList),
  node: v.optional(reference),
  name: v.optional(reference),
  owner: v.optional(reference),
  batch: v.optional(v.pipe(v.string(), batchId.schema)),
  /** Members of this array; without it members are left out. */
  array: v.optional(v.pipe(v.string(), taskId.schema)),
  label: v.optional(
    v.pipe(
      v.union([text(400), v.array(text(400))]),
      v.transform((all) => [all].flat()),
    ),
  ),
  cursor: v.optional(v.string()),
  limit: v.optional(limitParameter, String(pageSize.usual)),
});

const taskParam = strict({ task: reference });

const oneTask = { status: 200, description: 'The task', schema: taskViewSchema } as const;

/** `/api/v1/tasks`, but for logs, which the relay answers. */
export function taskRoutes(ctx: HostContext) {
  return new Hono<AccessEnv>()
    .post(
      '/',
      describe({
        summary: 'Submit a task',
        description:
          'Durable when answered. `dryRun` answers 200 with what the scheduler would do, and keeps nothing. With an `Idempotency-Key`, a repeated request answers what the first made.',
        tag: 'tasks',
        answer: { status: 201, description: 'The task, queued', schema: taskViewSchema },
        errors: [400, 409, 413, 415, 422],
      }),
      requires('tasks:write'),
      jsonBody(),
      validated('query', submitQuery),
      validated('json', taskSpecSchema),
      async (c) => {
        const wish = c.req.valid('query');
        const spec = c.req.valid('json');
        if (wish.dryRun === true) return c.json(await dryRun(ctx, spec, principalOf(c).subject));
        const [id] = await submit(ctx, c, {
          specs: [spec],
          pointer: () => '',
          batch: false,
          strict: wish.strict ?? false,
        });
        return c.json(await viewOf(ctx, await present(ctx, id)), 201);
      },
    )
    .post(
      '/batch',
      describe({
        summary: 'Submit several tasks, all or none',
        tag: 'tasks',
        answer: {
          status: 201,
          description: 'The tasks, in the order given',
          schema: v.object({ items: v.array(taskViewSchema) }),
        },
        errors: [400, 409, 413, 415, 422],
      }),
      requires('tasks:write'),
      jsonBody(batchBody),
      validated('query', batchQuery),
      validated('json', batchSchema),
      async (c) => {
        const specs = c.req.valid('json');
        const ids = await submit(ctx, c, {
          specs,
          pointer: (at) => `/${at}`,
          batch: true,
          strict: c.req.valid('query').strict ?? false,
        });
        const items: TaskView[] = [];
        for (const id of ids) items.push(toTaskView(await present(ctx, id), []));
        return c.json({ items }, 201);
      },
    )
    .get(
      '/',
      describe({
        summary: 'List tasks, newest first',
        tag: 'tasks',
        answer: { status: 200, description: 'A page', schema: listSchema(taskViewSchema) },
        errors: [422],
      }),
      requires('tasks:read'),
      validated('query', listQuery),
      async (c) => c.json(await list(ctx, c.req.valid('query'))),
    )
    .get(
      '/:task',
      describe({
        summary: 'One task, by id, name or unique prefix',
        tag: 'tasks',
        answer: oneTask,
        errors: [404, 409],
      }),
      requires('tasks:read'),
      validated('param', taskParam),
      validated('query', noQuery),
      async (c) => c.json(await readTaskView(ctx, c.req.valid('param').task)),
    )
    .get(
      '/:task/explain',
      describe({
        summary: 'Why a task waits, node by node, and what would start it',
        tag: 'tasks',
        answer: { status: 200, description: 'The explanation', schema: explanationSchema },
        errors: [404, 409],
      }),
      requires('tasks:read'),
      validated('param', taskParam),
      validated('query', noQuery),
      async (c) => c.json(await explainTask(ctx, c.req.valid('param').task)),
    )
    .get(
      '/:task/wait',
      describe({
        summary: 'Wait until a task has ended',
        description: 'Answers the task as it is when the time is over.',
        tag: 'tasks',
        answer: oneTask,
        errors: [404, 409, 422],
      }),
      requires('tasks:read'),
      validated('param', taskParam),
      validated('query', waitQuery),
      async (c) => {
        const wanted = { ref: c.req.valid('param').task, timeoutMs: c.req.valid('query').timeout };
        return c.json(await viewOf(ctx, await waitForTask(ctx, wanted, c.req.raw.signal)));
      },
    );
}

type Page = v.InferOutput<typeof listQuery>;

async function list(
  ctx: HostContext,
  query: Page,
): Promise<{ items: TaskView[]; cursor: string | null; asOf: number }> {
  const asOf = await lastEventSeq(ctx.db);
  const node = query.node === undefined ? undefined : await nodeOrRefuse(ctx, query.node);
  const filter = {
    states: query.state,
    node,
    name: query.name,
    owner: query.owner,
    batch: query.batch,
    array: query.array,
    labels: query.label?.map(parseLabel),
  };
  const below = query.cursor === undefined ? null : decodeCursor(query.cursor);
  const rows = await listTasks(ctx.db, filter, { limit: query.limit + 1, below });
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  const cursor = rows.length > query.limit && last ? encodeCursor(taskId.toStored(last.id)) : null;
  const usageOf = createUsageBook(ctx);
  return { items: page.map((row) => toTaskView(row, nodeReasons(ctx, row), usageOf(row))), cursor, asOf };
}

async function nodeOrRefuse(ctx: HostContext, ref: string) {
  const node = await findNodeId(ctx.db, ref);
  if (node !== null) return node;
  throw new ProblemError('invalid_field', `query parameter node: there is no node "${ref}"`, {
    fix: 'see `weir node list`',
  });
}

function parseLabel(text: string): { key: string; value: string } {
  const at = text.indexOf('=');
  const parsed = at < 1 ? null : v.safeParse(labelsSchema, { [text.slice(0, at)]: text.slice(at + 1) });
  if (parsed?.success) return { key: text.slice(0, at), value: text.slice(at + 1) };
  throw new ProblemError('invalid_field', `query parameter label: must be "key=value", not ${JSON.stringify(text)}`);
}

async function present(ctx: HostContext, id: TaskId | undefined): Promise<TaskRow> {
  const row = id === undefined ? null : await readTask(ctx.db, id);
  if (row === null) throw new ProblemError('gone', 'the task of this Idempotency-Key is no longer kept');
  return row;
}

async function submit(
  ctx: HostContext,
  c: Context<AccessEnv>,
  wanted: Pick<Submission, 'batch' | 'specs' | 'pointer' | 'strict'>,
): Promise<TaskId[]> {
  const { subject } = principalOf(c);
  const replayable = await replayableOf(ctx, c, { principal: subject, strict: wanted.strict });
  return submitTasks(ctx, { ...wanted, owner: subject, replayable });
}

async function replayableOf(
  ctx: HostContext,
  c: Context<AccessEnv>,
  { principal, strict: strictly }: { principal: string; strict: boolean },
): Promise<Replayable | null> {
  const key = c.req.header('idempotency-key');
  if (key === undefined) return null;
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new ProblemError('invalid_field', 'header Idempotency-Key: must be 1 to 255 visible ASCII characters');
  }
  const bodyHash = ctx.hashes.sha256(`${strictly ? 'strict' : ''}\n${await c.req.text()}`);
  return { principal, route: `${c.req.method} ${c.req.path}`, key, bodyHash };
}
