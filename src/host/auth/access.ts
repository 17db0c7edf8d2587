import { createMiddleware } from 'hono/factory';
import type { MiddlewareHandler } from 'hono';
import type { Scope } from '../../protocol/credential.ts';
import { ProblemError } from '../../protocol/problem.ts';
import type { Principal } from './principal.ts';

/** What a request carries from the outer layers to its handler. */
export interface AccessEnv {
  Variables: { principal: Principal | null; requestId: string };
}

/** How a route may be reached; every route of the Host carries one of these. */
export type Access = { kind: 'open' } | { kind: 'scope'; scope: Scope } | { kind: 'runner' } | { kind: 'join' };

const marks = new WeakMap<object, Access>();

/** The access that a handler enforces, if it is one that does. For the test that walks every route. */
export function accessOf(handler: object): Access | undefined {
  return marks.get(handler);
}

/** Registers a middleware as the one that enforces `access`. */
export function markAccess<M extends MiddlewareHandler>(access: Access, middleware: M): M {
  marks.set(middleware, access);
  return middleware;
}

/** Answers without a credential. */
export function open(): MiddlewareHandler<AccessEnv> {
  return markAccess(
    { kind: 'open' },
    createMiddleware<AccessEnv>(async (_c, next) => next()),
  );
}

/** Answers those whose token carries the scope. */
export function requires(scope: Scope): MiddlewareHandler<AccessEnv> {
  const middleware = createMiddleware<AccessEnv>(async (c, next) => {
    const principal = c.get('principal');
    if (principal === null) throw missingCredential();
    if (!principal.scopes.includes(scope)) {
      throw new ProblemError('forbidden', `the token lacks the scope "${scope}"`, { fix: 'use a token that has it' });
    }
    await next();
  });
  return markAccess({ kind: 'scope', scope }, middleware);
}

export function missingCredential(): ProblemError {
  return new ProblemError('unauthenticated', 'a credential is needed', {
    fix: 'send "Authorization: Bearer TOKEN"; the first token is in admin.token of the Host\'s data folder',
  });
}

/** The request's principal, behind `requires`. */
export function principalOf(c: { get(key: 'principal'): Principal | null }): Principal {
  const principal = c.get('principal');
  if (principal === null) throw missingCredential();
  return principal;
}
