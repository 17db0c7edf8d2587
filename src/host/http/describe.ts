import { describeRoute, resolver } from 'hono-openapi';
import type { MiddlewareHandler } from 'hono';
import type * as v from 'valibot';
import { problemSchema } from '../../protocol/problem.ts';

interface RouteWords {
  summary: string;
  description?: string;
  tag: string;
  /** The answer of success: its status, what it is, and its schema unless it is not JSON. */
  answer: { status: 200 | 201 | 202 | 204; description: string; schema?: v.GenericSchema; media?: string };
  errors?: readonly number[];
  open?: boolean;
}

/** One route's entry in the OpenAPI document. */
export function describe(words: RouteWords): MiddlewareHandler {
  const { answer } = words;
  const media = answer.media ?? 'application/json';
  const content = answer.schema ? { [media]: { schema: resolver(answer.schema) } } : { [media]: {} };
  const problem = { content: { 'application/problem+json': { schema: resolver(problemSchema) } } };
  const errors = [...(words.open ? [] : [401, 403]), ...(words.errors ?? [])];
  return describeRoute({
    summary: words.summary,
    ...(words.description === undefined ? {} : { description: words.description }),
    tags: [words.tag],
    ...(words.open ? { security: [] } : {}),
    responses: {
      [answer.status]: { description: answer.description, ...(answer.status === 204 ? {} : { content }) },
      ...Object.fromEntries(errors.map((status) => [status, { description: 'Refused', ...problem }])),
    },
  });
}
