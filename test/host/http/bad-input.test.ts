import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProblemCode } from '../../../src/protocol/problem.ts';
import { pageOf, problemOf, smallTask, taskOf } from '../../support/calls.ts';
import { openTestContext, type TestContext } from '../../support/host-context.ts';

let test: TestContext;
beforeAll(async () => {
  test = await openTestContext();
});
afterAll(() => test[Symbol.asyncDispose]());

/** What is stored, as a number that every write moves. */
async function stored(): Promise<{ asOf: number; tasks: number }> {
  const { items, asOf } = pageOf(await test.call('GET', '/api/v1/tasks?limit=1000'));
  return { asOf, tasks: items.length };
}

interface Bad {
  spec: Record<string, unknown>;
  pointer: string;
  code?: ProblemCode;
}

const image = { image: 'weir/demo:1' };
const nul = String.fromCharCode(0);
const wrongType: Bad[] = [
  { spec: { image: 5 }, pointer: '/image' },
  { spec: {}, pointer: '/image' },
  { spec: { ...image, command: 'echo hi' }, pointer: '/command' },
  { spec: { ...image, command: ['a', 1] }, pointer: '/command/1' },
  { spec: { ...image, command: [] }, pointer: '/command' },
  { spec: { ...image, env: [] }, pointer: '/env' },
  { spec: { ...image, env: { A: 1 } }, pointer: '/env/A' },
  { spec: { ...image, resources: [] }, pointer: '/resources' },
  { spec: { ...image, resources: 'all' }, pointer: '/resources' },
  { spec: { ...image, resources: { gpus: [] } }, pointer: '/resources/gpus' },
  { spec: { ...image, placement: [] }, pointer: '/placement' },
  { spec: { ...image, labels: [] }, pointer: '/labels' },
  { spec: { ...image, labels: { a: null } }, pointer: '/labels/a' },
  { spec: { ...image, name: null }, pointer: '/name' },
  { spec: { ...image, timeLimit: [] }, pointer: '/timeLimit' },
  { spec: { ...image, timeLimit: 'soon' }, pointer: '/timeLimit' },
  { spec: { ...image, timeLimit: true }, pointer: '/timeLimit' },
];
const absurd: Bad[] = [
  { spec: { ...image, resources: { cpus: -1 } }, pointer: '/resources/cpus' },
  { spec: { ...image, resources: { cpus: 0.0001 } }, pointer: '/resources/cpus' },
  { spec: { ...image, resources: { cpus: 1e9 } }, pointer: '/resources/cpus' },
  { spec: { ...image, resources: { cpus: '2' } }, pointer: '/resources/cpus' },
  { spec: { ...image, resources: { memory: -1 } }, pointer: '/resources/memory' },
  { spec: { ...image, resources: { memory: 1.5 } }, pointer: '/resources/memory' },
  { spec: { ...image, resources: { memory: '1KiB' } }, pointer: '/resources/memory' },
  { spec: { ...image, resources: { memory: '9e99GiB' } }, pointer: '/resources/memory' },
  { spec: { ...image, resources: { memory: '2000TiB' } }, pointer: '/resources/memory' },
  { spec: { ...image, resources: { gpus: { count: 0 } } }, pointer: '/resources/gpus/count' },
  { spec: { ...image, resources: { gpus: { count: 1.5 } } }, pointer: '/resources/gpus/count' },
  { spec: { ...image, resources: { gpus: { count: -2 } } }, pointer: '/resources/gpus/count' },
  { spec: { ...image, resources: { gpus: {} } }, pointer: '/resources/gpus' },
  { spec: { ...image, resources: { gpus: { uuids: ['all'] } } }, pointer: '/resources/gpus/uuids/0' },
  { spec: { ...image, resources: { gpus: { uuids: ['GPU-1', 'GPU-1'] } } }, pointer: '/resources/gpus' },
  { spec: { ...image, resources: { gpus: { count: 1, uuids: ['GPU-1'] } } }, pointer: '/resources/gpus' },
  { spec: { ...image, timeLimit: 0 }, pointer: '/timeLimit' },
  { spec: { ...image, timeLimit: -5 }, pointer: '/timeLimit' },
  { spec: { ...image, timeLimit: '99999w' }, pointer: '/timeLimit' },
  { spec: { ...image, stopGrace: '2h' }, pointer: '/stopGrace' },
  { spec: { ...image, stopSignal: 'SIGSTOP' }, pointer: '/stopSignal' },
  { spec: { ...image, priority: 'highest' }, pointer: '/priority' },
];
const misnamed: Bad[] = [
  ...[
    '',
    'UPPER/case',
    '../x',
    'http://a/b',
    '127.0.0.1/x',
    '10.0.0.1:5000/x',
    '[::1]:5000/x',
    'a b',
    '-rm',
    'x@sha256:short',
  ].map((bad): Bad => ({ spec: { image: bad }, pointer: '/image' })),
  { spec: { image: `a${nul}` }, pointer: '/image' },
  { spec: { ...image, placement: { node: 'nowhere' } }, pointer: '/placement/node' },
  { spec: { ...image, placement: { node: 'n1' } }, pointer: '/placement/node' },
  { spec: { ...image, name: '-x' }, pointer: '/name' },
  { spec: { ...image, name: 'a'.repeat(64) }, pointer: '/name' },
  { spec: { ...image, name: 'a\u001b[31m' }, pointer: '/name' },
  { spec: { ...image, user: 'root; id' }, pointer: '/user' },
  { spec: { ...image, workdir: 'relative' }, pointer: '/workdir' },
  { spec: { ...image, labels: { 'weir.task': 'x' } }, pointer: '/labels/weir.task' },
  { spec: { ...image, env: { WEIR_TASK: 'x' } }, pointer: '/env/WEIR_TASK' },
  { spec: { ...image, env: { NVIDIA_VISIBLE_DEVICES: 'all' } }, pointer: '/env/NVIDIA_VISIBLE_DEVICES' },
  { spec: { ...image, env: { 'A=B': 'x' } }, pointer: '/env/A=B' },
  { spec: { ...image, env: { '': 'x' } }, pointer: '/env/' },
  { spec: { ...image, command: ['a'], shell: 'a' }, pointer: '/shell' },
];
const torn: Bad[] = [
  { spec: { ...image, command: [`a${nul}b`] }, pointer: '/command/0' },
  { spec: { ...image, shell: `a${nul}b` }, pointer: '/shell' },
  { spec: { ...image, env: { A: `a${nul}b` } }, pointer: '/env/A' },
  { spec: { ...image, env: { [`A${nul}`]: 'x' } }, pointer: `/env/A${nul}` },
  { spec: { ...image, labels: { a: `a${nul}b` } }, pointer: '/labels/a' },
  { spec: { ...image, workdir: `/a${nul}b` }, pointer: '/workdir' },
];
const unknown: Bad[] = [
  { spec: { ...image, gpu: 1 }, pointer: '/gpu', code: 'unknown_field' },
  { spec: { ...image, superuser: true }, pointer: '/superuser', code: 'unknown_field' },
  { spec: { ...image, resources: { cpu: 1 } }, pointer: '/resources/cpu', code: 'unknown_field' },
  {
    spec: { ...image, resources: { gpus: { count: 1, kind: 'a' } } },
    pointer: '/resources/gpus/kind',
    code: 'unknown_field',
  },
  { spec: { ...image, placement: { nodes: [] } }, pointer: '/placement/nodes', code: 'unknown_field' },
  { spec: { ...image, toString: 'x' }, pointer: '/toString', code: 'unknown_field' },
  {
    spec: JSON.parse('{"image":"a","__proto__":{"user":"root"}}') as Record<string, unknown>,
    pointer: '/__proto__',
    code: 'unknown_field',
  },
  { spec: JSON.parse('{"image":"a","env":{"__proto__":"x"}}') as Record<string, unknown>, pointer: '/env/__proto__' },
  {
    spec: JSON.parse('{"image":"a","env":{"constructor":"x"}}') as Record<string, unknown>,
    pointer: '/env/constructor',
  },
  {
    spec: JSON.parse('{"image":"a","labels":{"prototype":"x"}}') as Record<string, unknown>,
    pointer: '/labels/prototype',
  },
  { spec: { ...image, 'a/b~c': 1 }, pointer: '/a~1b~0c', code: 'unknown_field' },
];

describe.each(Object.entries({ wrongType, absurd, misnamed, torn, unknown }))('a spec that is %s', (_kind, cases) => {
  it.each(cases.map((bad) => [JSON.stringify(bad.spec), bad] as const))(
    '%s',
    async (_text, { spec, pointer, code }) => {
      const before = await stored();
      const answer = await test.call('POST', '/api/v1/tasks', spec);
      const problem = problemOf(answer);
      expect(problem).toMatchObject({ code: code ?? 'invalid_field', detail: expect.stringMatching(/.{10}/) });
      expect(problem.errors?.[0]?.pointer).toBe(pointer);
      expect(problem.detail).toContain(pointer);
      expect(await stored()).toEqual(before);
    },
  );
});

describe('a body', () => {
  const post = (body: string, headers?: Record<string, string>) => test.call('POST', '/api/v1/tasks', body, headers);
  const good = JSON.stringify(smallTask);

  it.each([
    ['of another type', good, { 'content-type': 'text/plain' }, 'unsupported_media_type'],
    ['of a form', good, { 'content-type': 'application/x-www-form-urlencoded' }, 'unsupported_media_type'],
    ['of no type', good, { 'content-type': '' }, 'unsupported_media_type'],
    ['that is compressed', good, { 'content-encoding': 'gzip' }, 'unsupported_media_type'],
    ['that is broken off', good.slice(0, -1), {}, 'bad_json'],
    ['that is no JSON', 'name: x', {}, 'bad_json'],
    ['with a comma too much', '{"image":"a",}', {}, 'bad_json'],
    ['that is a bomb of brackets', '['.repeat(500_000), {}, 'bad_json'],
    ['nested 10,000 deep', `{"image":"a","env":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`, {}, 'bad_json'],
    ['that is a text', '"image"', {}, 'invalid_field'],
    ['that is null', 'null', {}, 'invalid_field'],
    ['that is an array', `[${good}]`, {}, 'invalid_field'],
    ['that is empty', '', {}, 'invalid_field'],
  ] as const)('%s is refused', async (...[, body, headers, code]) => {
    const before = await stored();
    expect(problemOf(await post(body, headers)).code).toBe(code);
    expect(await stored()).toEqual(before);
  });

  it('that is not UTF-8 is refused', async () => {
    const body = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]);
    const headers = { authorization: `Bearer ${test.token}`, 'content-type': 'application/json' };
    const response = await test.app.fetch(
      new Request('http://localhost/api/v1/tasks', { method: 'POST', headers, body }),
    );
    expect(await response.json()).toMatchObject({ code: 'bad_json' });
  });

  it('with a charset and spaces around the type is read', async () => {
    expect((await post(good, { 'content-type': ' Application/JSON ; charset=utf-8' })).status).toBe(201);
  });
});

describe('a batch', () => {
  it('with one bad member stores nothing and says which', async () => {
    const before = await stored();
    const answer = await test.call('POST', '/api/v1/tasks/batch', [smallTask, { ...smallTask, image: '!' }, smallTask]);
    expect(problemOf(answer).errors?.[0]?.pointer).toBe('/1/image');
    expect(await stored()).toEqual(before);
  });

  it.each([1, 3])('of %i for a node that is not there stores nothing and says which', async (length) => {
    const before = await stored();
    const specs = Array.from({ length }, (_, at) =>
      at === length - 1 ? { ...smallTask, placement: { node: 'nowhere' } } : smallTask,
    );
    const answer = await test.call('POST', '/api/v1/tasks/batch', specs);
    expect(problemOf(answer).errors?.[0]?.pointer).toBe(`/${length - 1}/placement/node`);
    expect(await stored()).toEqual(before);
  });

  it.each([
    ['of 1,001', Array.from({ length: 1001 }, () => smallTask)],
    ['of none', []],
    ['that is an object', smallTask],
  ])('%s is refused', async (_what, body) => {
    const before = await stored();
    expect(problemOf(await test.call('POST', '/api/v1/tasks/batch', body)).code).toBe('invalid_field');
    expect(await stored()).toEqual(before);
  });
});

describe('a query', () => {
  it.each([
    ['/tasks?limit=0', 'invalid_field', 'limit'],
    ['/tasks?limit=1001', 'invalid_field', 'limit'],
    ['/tasks?limit=-1', 'invalid_field', 'limit'],
    ['/tasks?limit=ten', 'invalid_field', 'limit'],
    ['/tasks?limit=1&limit=2', 'invalid_field', 'limit'],
    ['/tasks?cursor=x', 'invalid_field', 'cursor'],
    [`/tasks?cursor=${btoa('-1').replaceAll('=', '')}`, 'invalid_field', 'cursor'],
    [`/tasks?cursor=${btoa('9007199254740991').replaceAll('=', '')}`, 'invalid_field', 'cursor'],
    [`/tasks?cursor=${btoa('1 or 1').replaceAll('=', '')}`, 'invalid_field', 'cursor'],
    ['/tasks?state=done', 'invalid_field', 'state'],
    ['/tasks?state=running,done', 'invalid_field', 'state'],
    ['/tasks?node=nowhere', 'invalid_field', 'node'],
    ['/tasks?label=a', 'invalid_field', 'label'],
    ['/tasks?label==b', 'invalid_field', 'label'],
    ['/tasks?label=weir.a=b', 'invalid_field', 'label'],
    ['/tasks?order=name', 'unknown_field', 'order'],
    ['/tasks?toString=1', 'unknown_field', 'toString'],
    ['/tasks/t1?full=true', 'unknown_field', 'full'],
    ['/tasks/t1/explain?full=true', 'unknown_field', 'full'],
    ['/tasks/t1/wait?timeout=11m', 'invalid_field', 'timeout'],
    ['/tasks/t1/wait?timeout=soon', 'invalid_field', 'timeout'],
    ['/tasks/t1/logs?tail=-1', 'invalid_field', 'tail'],
    ['/tasks/t1/logs?follow=yes', 'invalid_field', 'follow'],
    ['/tasks/t1/logs?lines=1', 'unknown_field', 'lines'],
    ['/nodes?state=ready', 'unknown_field', 'state'],
    ['/nodes/n1?full=true', 'unknown_field', 'full'],
    ['/status?full=true', 'unknown_field', 'full'],
    ['/whoami?full=true', 'unknown_field', 'full'],
    ['/events?since=-1', 'invalid_field', 'since'],
    ['/events?type=task.gone', 'invalid_field', 'type'],
    ['/events?from=1', 'unknown_field', 'from'],
  ] as const)('%s is refused', async (path, code, named) => {
    const problem = problemOf(await test.call('GET', `/api/v1${path}`));
    expect(problem).toMatchObject({ code, detail: expect.stringContaining(named) });
  });

  it.each([
    ['POST', '/tasks?dry=1', smallTask],
    ['POST', '/tasks?strict=maybe', smallTask],
    ['POST', '/tasks/batch?dry=1', [smallTask]],
    ['POST', '/tasks/t1/kill?force=true', {}],
    ['POST', '/nodes/join-tokens?expires=1h', {}],
    ['POST', '/nodes/n1/drain?reason=x', {}],
    ['POST', '/nodes/n1/undrain?x=1', undefined],
    ['DELETE', '/nodes/n1?force=true', undefined],
  ])('%s %s is refused', async (method, path, body) => {
    const before = await stored();
    expect(['unknown_field', 'invalid_field']).toContain(
      problemOf(await test.call(method, `/api/v1${path}`, body)).code,
    );
    expect(await stored()).toEqual(before);
  });
});

describe('a path', () => {
  it.each(['t', 't0', 'T1', 'x', '%ff', '..%2f', 'a'.repeat(63), "'; drop table tasks; --"])(
    'to a task %s that is not there',
    async (ref) => {
      expect(problemOf(await test.call('GET', `/api/v1/tasks/${ref}/explain`)).code).toBe('not_found');
    },
  );

  it.each(['a'.repeat(64), '%00', 't1%00'])('to %s is refused', async (ref) => {
    for (const path of [
      `tasks/${ref}`,
      `tasks/${ref}/explain`,
      `tasks/${ref}/logs`,
      `nodes/${ref}`,
      `tasks?name=${ref}`,
      `events?subject=${ref}`,
    ]) {
      expect(problemOf(await test.call('GET', `/api/v1/${path}`)).code).toBe('invalid_field');
    }
  });
});

describe('other bodies', () => {
  it.each([
    ['/tasks/t1/kill', { message: 'a'.repeat(256) }, 'invalid_field'],
    ['/tasks/t1/kill', { force: 'yes' }, 'invalid_field'],
    ['/tasks/t1/kill', { signal: 'SIGKILL' }, 'unknown_field'],
    ['/tasks/t1/kill', { message: `a${nul}` }, 'invalid_field'],
    ['/nodes/n1/drain', { reason: `a${nul}` }, 'invalid_field'],
    ['/nodes/n1/drain', { until: 'x' }, 'unknown_field'],
    ['/nodes/join-tokens', { expires: '25h' }, 'invalid_field'],
    ['/nodes/join-tokens', { expires: '1ms' }, 'invalid_field'],
    ['/nodes/join-tokens', { uses: 2 }, 'unknown_field'],
    ['/nodes/join-tokens', { name: '!' }, 'invalid_field'],
  ] as const)('to %s: %o', async (path, body, code) => {
    expect(problemOf(await test.call('POST', `/api/v1${path}`, body)).code).toBe(code);
  });
});

describe('what is accepted', () => {
  it('is stored with every field that was given, in the units of its documentation', async () => {
    const spec = {
      name: 'all-fields',
      image: 'ghcr.io/team/tool:1.2',
      shell: 'echo "ü" && true',
      env: { A: '1', _b: '' },
      workdir: '/work',
      user: '1000:users',
      resources: { cpus: 0.125, memory: '64MiB', gpus: { uuids: ['GPU-1', 'MIG-2'] } },
      placement: { labels: { rack: 'a' } },
      priority: 'batch',
      timeLimit: '1h30m',
      stopSignal: 'SIGINT',
      stopGrace: 2500,
      labels: { team: 'red', 'a/b': 'ü' },
      owner: 'ada',
    };
    const task = taskOf(await test.call('POST', '/api/v1/tasks', spec));
    expect(task).toMatchObject({
      name: 'all-fields',
      state: 'queued',
      owner: 'ada',
      priority: 'batch',
      labels: spec.labels,
    });
    const stays = {
      image: spec.image,
      shell: spec.shell,
      env: spec.env,
      workdir: '/work',
      user: spec.user,
      stopSignal: 'SIGINT',
    };
    expect(task.spec).toMatchObject(stays);
    expect(task.spec).toMatchObject({
      resources: { cpus: 0.125, memory: 67_108_864, gpus: { uuids: ['GPU-1', 'MIG-2'] } },
      placement: { node: null, labels: { rack: 'a' } },
      timeLimit: 5_400_000,
      stopGrace: 2500,
    });
  });
});
