import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { placeTasks } from '../../src/host/reconcile/place.ts';
import { smallTask, taskOf } from '../support/calls.ts';
import { openTestContext, type TestContext } from '../support/host-context.ts';
import { mismatches, type JsonSchema } from '../support/json-schema.ts';
import { joinRunner } from '../support/runner-wire.ts';

interface Operation {
  summary?: string;
  tags?: string[];
  security?: unknown[];
  parameters?: { name: string; in: string; required?: boolean; schema?: JsonSchema }[];
  requestBody?: { content: Record<string, { schema?: JsonSchema }> };
  responses: Record<string, { description?: string; content?: Record<string, { schema?: JsonSchema }> }>;
}

interface Document {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas?: Record<string, JsonSchema> };
}

let test: TestContext;
let document: Document;
let task: string;
beforeAll(async () => {
  test = await openTestContext();
  document = (await test.call('GET', '/openapi.json')).body as Document;
  const runner = await joinRunner(test, { name: 'box', gpus: ['GPU-a'], labels: { rack: 'a' } });
  task = taskOf(await test.call('POST', '/api/v1/tasks', { ...smallTask, labels: { a: 'b' }, resources: { gpus: { count: 1 } } })).id;
  await placeTasks(test.ctx);
  await runner.sync({ load: { load1: 0.5, memoryAvailableBytes: 1, diskFreeBytes: 1, loopLagMs: 0.1 } });
  await runner.report(task, 'running');
  await test.call('POST', '/api/v1/tasks', { ...smallTask, resources: { cpus: 100 } });
  await placeTasks(test.ctx);
});
afterAll(() => test[Symbol.asyncDispose]());

/** Routes of the app in the document's words, `GET /api/v1/tasks/{task}`. */
function routes(): string[] {
  const all = test.app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
  return [...new Set(all)].filter((route) => route !== 'GET /openapi.json').toSorted();
}

function operations(): [string, Operation][] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [`${method.toUpperCase()} ${path}`, operation]),
  );
}

function schemaOf(operation: Operation | undefined, status: number, media: string): JsonSchema | undefined {
  return operation?.responses[String(status)]?.content?.[media]?.schema;
}

describe('the document', () => {
  it('is OpenAPI 3.1 with a title, a version and nothing undefined', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toMatchObject({ title: 'Weir', version: test.ctx.version });
    expect(document).toMatchObject({ components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } } });
  });

  it('has every route and no other', () => {
    expect(operations().map(([route]) => route).toSorted()).toEqual(routes());
  });

  it('describes each: words, parameters of its path, and answers with their schemas', () => {
    for (const [route, operation] of operations()) {
      expect(operation.summary, route).toMatch(/^\S.{5}/);
      expect(operation.tags?.length, route).toBe(1);
      const inPath = [...route.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect(declared.map((parameter) => parameter.name), route).toEqual(inPath);
      expect(declared.every((parameter) => parameter.required === true && parameter.schema !== undefined), route).toBe(true);
      for (const [status, answer] of Object.entries(operation.responses)) {
        expect(answer.description, `${route} ${status}`).toMatch(/\S/);
        const media = Object.keys(answer.content ?? {});
        if (status === '204') expect(media).toEqual([]);
        else expect(media.length, `${route} ${status}`).toBe(1);
        const isJson = media[0]?.endsWith('json') === true;
        if (isJson) expect(answer.content?.[media[0] ?? '']?.schema, `${route} ${status}`).toBeTypeOf('object');
        if (Number(status) >= 400) expect(media, `${route} ${status}`).toEqual(['application/problem+json']);
      }
      expect(Object.keys(operation.responses).some((status) => status.startsWith('2')), route).toBe(true);
    }
  });

  it('says of each route whether it needs a token', () => {
    const open = operations().filter(([, operation]) => operation.security?.length === 0).map(([route]) => route);
    expect(open).toEqual(['GET /healthz', 'GET /readyz']);
    expect(document).toMatchObject({ security: [{ token: [] }] });
    for (const [route, operation] of operations()) {
      if (!open.includes(route)) expect(operation.responses, route).toHaveProperty('401');
    }
  });

  it('resolves every reference in it', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? '');
    for (const ref of refs) expect(resolve(ref), ref).toBeDefined();
  });

  it('tells what a submission may hold', () => {
    const schema = document.paths['/api/v1/tasks']?.['post']?.requestBody?.content['application/json']?.schema;
    expect(schema).toBeDefined();
    const check = (value: unknown) => mismatches(schema ?? {}, value, resolve);
    expect(check(smallTask)).toEqual([]);
    expect(check({ ...smallTask, surprise: 1 })).not.toEqual([]);
    expect(check({ ...smallTask, priority: 'highest' })).not.toEqual([]);
    expect(check({ ...smallTask, resources: { memory: true } })).not.toEqual([]);
  });
});

function resolve(ref: string): JsonSchema | undefined {
  let at: unknown = document;
  for (const part of ref.replace(/^#\//, '').split('/')) {
    at = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[part] : undefined;
  }
  return at as JsonSchema | undefined;
}

describe('every GET answers what is declared', () => {
  const here: Record<string, string> = { '/api/v1/tasks/{task}/wait': '?timeout=0s' };

  it('with things there', async () => {
    for (const [route, operation] of operations()) {
      const [method, path = ''] = route.split(' ');
      const media = Object.keys(operation.responses['200']?.content ?? {})[0];
      if (method !== 'GET' || media !== 'application/json') continue;
      const answer = await test.call('GET', path.replace('{task}', task).replace('{node}', 'box') + (here[path] ?? ''));
      expect(answer.status, route).toBe(200);
      expect(answer.headers.get('content-type'), route).toMatch(/^application\/json/);
      const schema = schemaOf(operation, 200, media);
      expect(mismatches(schema ?? { not: {} }, answer.body, resolve), route).toEqual([]);
      expect(undeclared(schema ?? {}, answer.body), route).toEqual([]);
    }
  });

  it('with a problem that is declared, where there is nothing', async () => {
    for (const [route, operation] of operations()) {
      const [method, path = ''] = route.split(' ');
      if (method !== 'GET' || !/\{/.test(path)) continue;
      const answer = await test.call('GET', path.replace(/\{\w+\}/, 't99'));
      const schema = schemaOf(operation, answer.status, 'application/problem+json');
      expect(answer.status, route).toBe(404);
      expect(mismatches(schema ?? { not: {} }, answer.body, resolve), route).toEqual([]);
    }
  });
});

/** Fields at the top of an answer, and of the items of a list, that its schema does not name. */
function undeclared(schema: JsonSchema, value: unknown): string[] {
  const known = schema.properties ?? {};
  if (typeof value !== 'object' || value === null) return [];
  const own = Object.keys(value).filter((key) => !(key in known));
  const items = (value as { items?: unknown[] }).items ?? [];
  const item = known['items']?.items;
  return [...own, ...(item ? items.flatMap((one) => undeclared(item, one)) : [])];
}
