import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessOf, type Access } from '../../../src/host/auth/access.ts';
import { scopes } from '../../../src/protocol/credential.ts';
import { problemOf } from '../../support/calls.ts';
import { openTestContext, type TestContext } from '../../support/host-context.ts';

/** Every route of the Host and who may use it. A new route needs its row here. */
const table: Readonly<Record<string, string>> = {
  'GET /healthz': 'open',
  'GET /readyz': 'open',
  'GET /openapi.json': 'open',
  'GET /docs': 'open',
  'GET /metrics': 'metrics:read',
  'GET /api/v1/status': 'tasks:read',
  'GET /api/v1/whoami': 'tasks:read',
  'POST /api/v1/tasks': 'tasks:write',
  'POST /api/v1/tasks/batch': 'tasks:write',
  'GET /api/v1/tasks': 'tasks:read',
  'GET /api/v1/tasks/:task': 'tasks:read',
  'GET /api/v1/tasks/:task/explain': 'tasks:read',
  'GET /api/v1/tasks/:task/wait': 'tasks:read',
  'POST /api/v1/tasks/actions': 'tasks:write',
  'PATCH /api/v1/tasks/:task': 'tasks:write',
  'POST /api/v1/tasks/:task/kill': 'tasks:write',
  'POST /api/v1/tasks/:task/pause': 'tasks:write',
  'POST /api/v1/tasks/:task/resume': 'tasks:write',
  'POST /api/v1/tasks/:task/retry': 'tasks:write',
  'POST /api/v1/tasks/:task/hold': 'tasks:write',
  'POST /api/v1/tasks/:task/release': 'tasks:write',
  'GET /api/v1/tasks/:task/logs': 'tasks:read',
  'GET /api/v1/nodes': 'nodes:read',
  'POST /api/v1/nodes/join-tokens': 'nodes:write',
  'GET /api/v1/nodes/:node': 'nodes:read',
  'POST /api/v1/nodes/:node/drain': 'nodes:write',
  'POST /api/v1/nodes/:node/undrain': 'nodes:write',
  'POST /api/v1/nodes/:node/cordon': 'nodes:write',
  'POST /api/v1/nodes/:node/uncordon': 'nodes:write',
  'POST /api/v1/nodes/:node/release': 'nodes:write',
  'PATCH /api/v1/nodes/:node': 'nodes:write',
  'DELETE /api/v1/nodes/:node': 'nodes:write',
  'POST /api/v1/runner/enrol': 'join',
  'POST /api/v1/runner/session': 'runner',
  'POST /api/v1/runner/sync': 'runner',
  'GET /api/v1/events': 'events:read',
};

let test: TestContext;
beforeAll(async () => {
  test = await openTestContext();
});
afterAll(() => test[Symbol.asyncDispose]());

/** The access marks of each route, as registered. */
function registered(): Map<string, Access[]> {
  const marks = new Map<string, Access[]>();
  for (const { method, path, handler } of test.app.routes) {
    if (method === 'ALL') continue;
    const key = `${method} ${path}`;
    const access = accessOf(handler);
    marks.set(key, [...(marks.get(key) ?? []), ...(access ? [access] : [])]);
  }
  return marks;
}

function word(access: Access): string {
  return access.kind === 'scope' ? access.scope : access.kind;
}

function concrete(route: string): { method: string; path: string } {
  const [method = '', path = ''] = route.split(' ');
  return { method, path: path.replace(/:\w+/g, 'x1') };
}

const guarded = Object.entries(table).filter(([, access]) => access !== 'open');
const scoped = guarded.filter(([, access]) => access !== 'join' && access !== 'runner');

describe('the table of routes', () => {
  it('has every route of the app, each with one mark, and no other', () => {
    const found = [...registered()].map(([route, marks]) => [route, marks.map(word)] as const);
    expect(Object.fromEntries(found)).toEqual(
      Object.fromEntries(Object.entries(table).map(([route, access]) => [route, [access]])),
    );
  });

  it('has no route that answers any method', () => {
    const any = test.app.routes.filter(({ method, path }) => method === 'ALL' && path !== '/*');
    expect(any).toEqual([]);
  });
});

describe('without a credential', () => {
  it.each(guarded)('%s refuses', async (route) => {
    const { method, path } = concrete(route);
    const answer = await test.call(method, path, method === 'POST' ? {} : undefined, { authorization: '' });
    expect(problemOf(answer)).toMatchObject({ status: 401, code: 'unauthenticated' });
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  it.each([
    'GET /',
    'GET /api/v1/nothing',
    'POST /api/v2/tasks',
    'GET /api/v1/runner/nothing',
    'DELETE /api/v1/tasks',
    'GET /healthz/',
    'GET /METRICS',
  ])('%s says nothing, not even whether it is there', async (route) => {
    const { method, path } = concrete(route);
    expect(problemOf(await test.call(method, path, undefined, { authorization: '' })).code).toBe('unauthenticated');
  });

  it('tells of health and the document', async () => {
    for (const path of ['/healthz', '/readyz', '/openapi.json']) {
      expect((await test.call('GET', path, undefined, { authorization: '' })).status).toBe(200);
    }
  });
});

describe('with a token', () => {
  it.each(scoped)('%s refuses one that has every scope but %s', async (route, needed) => {
    const others = scopes.filter((scope) => scope !== needed);
    const { method, path } = concrete(route);
    const answer = await test.callAs(await test.issue({ scopes: others }))(
      method,
      path,
      method === 'POST' ? {} : undefined,
    );
    expect(problemOf(answer)).toMatchObject({
      status: 403,
      code: 'forbidden',
      detail: expect.stringContaining(needed),
    });
  });

  it.each(scoped)('%s lets one through that has %s alone', async (route, needed) => {
    const only = scopes.filter((scope) => scope === needed);
    const { method, path } = concrete(route);
    const stopped = new AbortController();
    const headers = { authorization: `Bearer ${await test.issue({ scopes: only })}` };
    const request = new Request(`http://localhost${path}`, { method, headers, signal: stopped.signal });
    const response = await test.app.fetch(request);
    expect([401, 403]).not.toContain(response.status);
    stopped.abort();
    await response.body?.cancel();
  });

  it('an unknown path is not found, another method is not offered and says which are', async () => {
    expect(problemOf(await test.call('GET', '/api/v1/nothing'))).toMatchObject({ status: 404, code: 'not_found' });
    const answer = await test.call('PUT', '/api/v1/tasks/t1');
    expect(problemOf(answer)).toMatchObject({ status: 405, code: 'method_not_allowed' });
    expect(answer.headers.get('allow')).toBe('GET, PATCH');
    expect((await test.call('DELETE', '/api/v1/tasks')).headers.get('allow')).toBe('GET, POST');
  });
});
