import * as v from 'valibot';

/** The `typ` header of our tokens: a token of one kind is never taken for another. */
export const tokenTypes = {
  api: 'weir-api',
  node: 'weir-node',
  stream: 'weir-stream',
  join: 'weir-join',
} as const;

/** What a credential may do. A route names the one that it needs. */
export const scopes = [
  'tasks:read',
  'tasks:write',
  'nodes:read',
  'nodes:write',
  'events:read',
  'metrics:read',
] as const;
export type Scope = (typeof scopes)[number];

/** Claims of a stream token: one Runner start, one attempt, one purpose. */
export const streamClaimsSchema = v.object({
  sub: v.string(),
  jti: v.string(),
  aud: v.string(),
  exp: v.number(),
  purpose: v.picklist(['logs']),
  task: v.string(),
  attempt: v.number(),
});
export type StreamClaims = v.InferOutput<typeof streamClaimsSchema>;

/** The audience of stream tokens: they die with the Runner's process. */
export function streamAudience(node: string, boot: string): string {
  return `node:${node}:${boot}`;
}
