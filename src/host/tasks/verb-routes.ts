import { Hono, type Context } from 'hono';
import * as v from 'valibot';
import { labels as labelsSchema, strict, text } from '../../protocol/schema.ts';
import { priorityClass, timeLimit as timeLimitSchema } from '../../protocol/task-spec.ts';
import { taskStates, taskStateSchema } from '../../protocol/task-state.ts';
import { taskViewSchema } from '../../protocol/task-view.ts';
import { principalOf, requires, type AccessEnv } from '../auth/access.ts';
import type { HostContext } from '../context.ts';
import { jsonBody } from '../http/body.ts';
import { describe } from '../http/describe.ts';
import { noQuery, reference } from '../http/parameters.ts';
import { validated } from '../http/validate.ts';
import { actOnSelection, actOnTask, type AnyOrder } from './act.ts';
import { readTaskView } from './read-view.ts';

const simpleVerbs = ['pause', 'resume', 'retry', 'hold', 'release'] as const;
const taskParam = strict({ task: reference });
const killBody = strict({ message: v.optional(text(255)), force: v.optional(v.boolean(), false) });
const changeBody = v.pipe(
  strict({ timeLimit: v.optional(timeLimitSchema), priority: v.optional(priorityClass) }),
  v.check((body) => body.timeLimit !== undefined || body.priority !== undefined, 'give "timeLimit" or "priority"'),
);
const actionsBody = v.pipe(
  strict({
    verb: v.picklist(['kill', ...simpleVerbs], `must be one of kill, ${simpleVerbs.join(', ')}`),
    ids: v.optional(v.pipe(v.array(reference), v.minLength(1), v.maxLength(1000))),
    batch: v.optional(reference),
    labels: v.optional(labelsSchema),
    states: v.optional(v.pipe(v.array(v.picklist(taskStates)), v.minLength(1))),
    message: v.optional(text(255)),
    force: v.optional(v.boolean(), false),
  }),
  v.check(
    ({ ids, batch, labels, states }) =>
      ids !== undefined || batch !== undefined || labels !== undefined || states !== undefined,
    'say which tasks: "ids", "batch", "labels" or "states"',
  ),
);
const outcomesSchema = v.object({
  items: v.array(
    v.object({
      id: v.string(),
      state: v.nullable(taskStateSchema),
      problem: v.nullable(v.object({ code: v.string(), detail: v.string() })),
    }),
  ),
});

const changed = { status: 202, description: 'The task as it is now', schema: taskViewSchema } as const;

/** What can be done to tasks; of an array, to all of its members that it can be done to. */
export function taskVerbRoutes(ctx: HostContext) {
  return new Hono<AccessEnv>()
    .post(
      '/actions',
      describe({
        summary: 'Do a verb to several tasks, each by itself',
        description: 'Named by `ids`, or by what they have in common: `batch`, `labels`, `states`. Each is reported.',
        tag: 'tasks',
        answer: { status: 200, description: 'What came of each', schema: outcomesSchema },
        errors: [400, 413, 415, 422],
      }),
      requires('tasks:write'),
      validated('query', noQuery),
      jsonBody(),
      validated('json', actionsBody),
      async (c) => {
        const { verb, message, force, labels, ...selection } = c.req.valid('json');
        const order: AnyOrder = verb === 'kill' ? { verb, message, force } : { verb };
        const pairs = Object.entries(labels ?? {}).map(([key, value]) => ({ key, value }));
        const items = await actOnSelection(
          ctx,
          { ...selection, labels: pairs },
          { orders: [order], actor: principalOf(c).subject },
        );
        return c.json({ items });
      },
    )
    .patch(
      '/:task',
      describe({
        summary: 'Extend the time limit, also while it runs, or change the priority',
        tag: 'tasks',
        answer: changed,
        errors: [400, 404, 409, 415, 422],
      }),
      requires('tasks:write'),
      validated('param', taskParam),
      validated('query', noQuery),
      jsonBody(),
      validated('json', changeBody),
      async (c) => {
        const { task } = c.req.valid('param');
        const { timeLimit, priority } = c.req.valid('json');
        const orders: AnyOrder[] = [
          ...(timeLimit === undefined ? [] : [{ verb: 'extend', timeLimitMs: timeLimit } as const]),
          ...(priority === undefined ? [] : [{ verb: 'prioritise', priority } as const]),
        ];
        const row = await actOnTask(ctx, task, { orders, actor: principalOf(c).subject });
        return c.json(await readTaskView(ctx, row.id), 202);
      },
    )
    .post(
      '/:task/kill',
      describe({
        summary: 'Stop a task: its stop signal, its grace, then SIGKILL',
        tag: 'tasks',
        answer: { status: 202, description: 'The task, stopping or ended', schema: taskViewSchema },
        errors: [400, 404, 409, 413, 415, 422],
      }),
      requires('tasks:write'),
      validated('param', taskParam),
      validated('query', noQuery),
      jsonBody(),
      validated('json', killBody),
      async (c) => {
        const { task } = c.req.valid('param');
        const { message, force } = c.req.valid('json');
        const row = await actOnTask(ctx, task, {
          orders: [{ verb: 'kill', message, force }],
          actor: principalOf(c).subject,
        });
        return c.json(await readTaskView(ctx, row.id), 202);
      },
    )
    .post('/:task/pause', ...simple(ctx, 'pause', 'Freeze a running task; it keeps its room'))
    .post('/:task/resume', ...simple(ctx, 'resume', 'Let a paused task go on'))
    .post('/:task/retry', ...simple(ctx, 'retry', 'Queue a task that did not succeed for one more attempt'))
    .post('/:task/hold', ...simple(ctx, 'hold', 'Keep a queued task from starting'))
    .post('/:task/release', ...simple(ctx, 'release', 'Let a held task into the queue'));
}

/** A verb that needs nothing but the task. */
function simple(ctx: HostContext, verb: (typeof simpleVerbs)[number], summary: string) {
  return [
    describe({ summary, tag: 'tasks', answer: changed, errors: [404, 409, 422] }),
    requires('tasks:write'),
    validated('param', taskParam),
    validated('query', noQuery),
    async (c: Context<AccessEnv, string, { out: { param: v.InferOutput<typeof taskParam> } }>) => {
      const { task } = c.req.valid('param');
      const row = await actOnTask(ctx, task, { orders: [{ verb }], actor: principalOf(c).subject });
      return c.json(await readTaskView(ctx, row.id), 202);
    },
  ] as const;
}
