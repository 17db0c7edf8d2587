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

const test: TestContext = await openTestContext();
const document = (await test.call('GET', '/openapi.json')).body as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    route: `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    path,
    operation,
  })),
);
let task: string;
beforeAll(async () => {
  const runner = await joinRunner(test, { name: 'box', gpus: ['GPU-a'], labels: { rack: 'a' } });
  task = taskOf(
    await test.call('POST', '/api/v1/tasks', { ...smallTask, labels: { a: 'b' }, resources: { gpus: { count: 1 } } }),
  ).id;
  await placeTasks(test.ctx);
  await runner.sync({ load: { load1: 0.5, memoryAvailableBytes: 1, diskFreeBytes: 1, loopLagMs: 0.1 } });
  await runner.report(task, 'running');
  await test.call('POST', '/api/v1/tasks', { ...smallTask, resources: { cpus: 100 } });
  await placeTasks(test.ctx);
});
afterAll(() => test[Symbol.asyncDispose]());

/** Routes of the app in the document's words, `GET /api/v1/tasks/{task}`. */
function routes(): string[] {
  const all = test.app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
  return [...new Set(all)].filter((route) => route !== 'GET /openapi.json' && route !== 'GET /docs').toSorted();
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
    expect(operations.map(({ route }) => route).toSorted()).toEqual(routes());
  });

  it.each(operations)(
    'describes $route: words, the parameters of its path, whether it needs a token',
    ({ path, operation }) => {
      expect(operation.summary).toMatch(/^\S.{5}/);
      expect(operation.tags?.length).toBe(1);
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect(declared.map((parameter) => parameter.name)).toEqual(inPath);
      expect(declared.every((parameter) => parameter.required === true && parameter.schema !== undefined)).toBe(true);
      const isOpen = operation.security?.length === 0;
      expect(isOpen).toBe(path === '/healthz' || path === '/readyz');
      expect('401' in operation.responses).toBe(!isOpen);
    },
  );

  it.each(operations)('describes all answers of $route with their schemas', ({ operation }) => {
    for (const [status, answer] of Object.entries(operation.responses)) {
      expect(answer.description).toMatch(/\S/);
      const media = Object.keys(answer.content ?? {});
      expect(media.length).toBe(status === '204' ? 0 : 1);
      const schema = answer.content?.[media[0] ?? '']?.schema;
      if (media[0]?.endsWith('json') === true) expect(schema).toBeTypeOf('object');
      if (Number(status) >= 400) expect(media).toEqual(['application/problem+json']);
    }
    expect(Object.keys(operation.responses).some((status) => status.startsWith('2'))).toBe(true);
  });

  it('needs a token unless it says otherwise', () => {
    expect(document).toMatchObject({ security: [{ token: [] }] });
  });

  it('resolves every reference in it', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(refs.filter((ref) => resolve(ref) === undefined)).toEqual([]);
  });

  it('tells what a submission may hold', () => {
    const schema = document.paths['/api/v1/tasks']?.['post']?.requestBody?.content['application/json']?.schema;
    expect(schema).toBeDefined();
    const check = (value: unknown) => mismatches(schema ?? {}, value, { resolve });
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
  const gets = operations.filter(
    ({ method, operation }) =>
      method === 'GET' && operation.responses['200']?.content?.['application/json'] !== undefined,
  );
  const query: Record<string, string> = { '/api/v1/tasks/{task}/wait': '?timeout=0s' };

  it.each(gets)('$route, with things there', async ({ path, operation }) => {
    const answer = await test.call('GET', path.replace('{task}', task).replace('{node}', 'box') + (query[path] ?? ''));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    const schema = schemaOf(operation, 200, 'application/json') ?? { not: {} };
    expect(mismatches(schema, answer.body, { resolve })).toEqual([]);
    expect(undeclared(schema, answer.body)).toEqual([]);
  });

  const ofOne = gets.filter(({ path }) => /\{(?:task|node)\}/.test(path));
  it.each(ofOne)('$route, with a problem that is declared where there is nothing', async ({ path, operation }) => {
    const answer = await test.call('GET', path.replace(/\{\w+\}/, 't99'));
    expect(answer.status).toBe(404);
    const schema = schemaOf(operation, 404, 'application/problem+json') ?? { not: {} };
    expect(mismatches(schema, answer.body, { resolve })).toEqual([]);
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
