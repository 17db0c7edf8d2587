import { Hono } from 'hono';
import * as v from 'valibot';
import { lenient } from '../../protocol/schema.ts';
import { principalOf, requires, type AccessEnv } from '../auth/access.ts';
import type { HostContext } from '../context.ts';
import { describe } from '../http/describe.ts';
import { noQuery } from '../http/parameters.ts';
import { validated } from '../http/validate.ts';
import { readStatus, statusSchema } from './read-status.ts';

const whoamiSchema = lenient({ subject: v.string(), credential: v.string(), scopes: v.array(v.string()) });

/** What concerns the cluster as a whole. */
export function clusterRoutes(ctx: HostContext) {
  return new Hono<AccessEnv>()
    .get(
      '/status',
      describe({
        summary: 'The cluster in one answer',
        tag: 'cluster',
        answer: { status: 200, description: 'The state', schema: statusSchema },
      }),
      requires('tasks:read'),
      validated('query', noQuery),
      async (c) => c.json(await readStatus(ctx)),
    )
    .get(
      '/whoami',
      describe({
        summary: 'Whose token this is',
        tag: 'cluster',
        answer: { status: 200, description: 'Its holder', schema: whoamiSchema },
      }),
      requires('tasks:read'),
      validated('query', noQuery),
      (c) => {
        const { subject, credential, scopes } = principalOf(c);
        return c.json({ subject, credential, scopes: [...scopes] });
      },
    );
}
