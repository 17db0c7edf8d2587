import { sql } from 'drizzle-orm';
import { Hono } from 'hono';
import * as v from 'valibot';
import { ProblemError } from '../../protocol/problem.ts';
import { open, type AccessEnv } from '../auth/access.ts';
import type { HostContext } from '../context.ts';
import { describe } from '../http/describe.ts';

const okSchema = v.object({ status: v.literal('ok') });

/** Whether the process lives (`/healthz`) and whether it can do its work (`/readyz`). */
export function healthRoutes(ctx: Pick<HostContext, 'db' | 'stopping'>) {
  return new Hono<AccessEnv>()
    .get(
      '/healthz',
      describe({
        summary: 'The process lives',
        tag: 'health',
        open: true,
        answer: { status: 200, description: 'It does', schema: okSchema },
      }),
      open(),
      (c) => c.json({ status: 'ok' as const }),
    )
    .get(
      '/readyz',
      describe({
        summary: 'The Host can do its work',
        tag: 'health',
        open: true,
        answer: { status: 200, description: 'It can', schema: okSchema },
        errors: [503],
      }),
      open(),
      async (c) => {
        if (ctx.stopping.aborted) throw new ProblemError('overloaded', 'the Host is stopping');
        await ctx.db.run(sql`select 1`).catch((error: unknown) => {
          throw new ProblemError('overloaded', 'the database does not answer', { cause: error });
        });
        return c.json({ status: 'ok' as const });
      },
    );
}
