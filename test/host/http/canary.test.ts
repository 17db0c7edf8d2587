import { inspect } from 'node:util';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Logger } from '../../../src/lib/logger.ts';
import { problemOf, smallTask } from '../../support/calls.ts';
import { openTestContext, type TestContext } from '../../support/host-context.ts';
import { enrolWith, joinRunner, joinToken } from '../../support/runner-wire.ts';

const canary = 'canary-5e0c1d';
let lines: string[];
let test: TestContext;
beforeEach(async () => {
  lines = [];
  const write = (...line: unknown[]): void => void lines.push(inspect(line, { depth: 12, showHidden: true }));
  const log: Logger = { debug: write, info: write, warn: write, error: write, child: () => log };
  test = await openTestContext({ log });
});
afterEach(() => test[Symbol.asyncDispose]());

/** What anybody could read of this. */
function expectNoTrace(answer: string, ...secrets: string[]): void {
  for (const secret of secrets) {
    expect(answer).not.toContain(secret);
    expect(lines.join('\n')).not.toContain(secret);
  }
}

describe('a secret in a request', () => {
  const spec = { ...smallTask, env: { TOKEN: canary } };

  it('is not told when the database fails, and the request is found in the log by its id', async () => {
    await test.ctx.db.run(sql`drop table task_labels`);
    await test.ctx.db.run(sql`drop table events`);
    const answer = await test.call('POST', '/api/v1/tasks', spec);
    const problem = problemOf(answer);
    expect(problem).toMatchObject({ status: 500, code: 'internal' });
    expect(lines.join('\n')).toContain(problem.requestId);
    expectNoTrace(answer.text, canary, test.token, 'insert into');
  });

  it('is not told when a constraint is broken', async () => {
    await test.ctx.db.run(sql`create unique index one_owner on tasks (owner)`);
    await test.call('POST', '/api/v1/tasks', spec);
    const answer = await test.call('POST', '/api/v1/tasks', { ...spec, name: canary });
    expect(problemOf(answer).code).toBe('internal');
    expectNoTrace(answer.text, canary, test.token);
  });

  it('is not told when the idempotency key was used', async () => {
    const under = { 'idempotency-key': 'k' };
    await test.call('POST', '/api/v1/tasks', smallTask, under);
    const answer = await test.call('POST', '/api/v1/tasks', spec, under);
    expect(problemOf(answer).code).toBe('idempotency_mismatch');
    expectNoTrace(answer.text, canary);
  });

  it('such as a token is not told when it is refused', async () => {
    const token = await joinToken(test);
    await enrolWith(test, token);
    const again = await enrolWith(test, token);
    expect(problemOf(again).code).toBe('join_token_invalid');
    expectNoTrace(again.text, token);
    const narrow = await test.issue({ scopes: ['tasks:read'] });
    expectNoTrace((await test.callAs(narrow)('POST', '/api/v1/tasks', spec)).text, narrow, canary);
    expectNoTrace(
      (await test.call('GET', '/api/v1/tasks', undefined, { authorization: `Bearer ${canary}` })).text,
      canary,
    );
  });

  it("such as a session's key is not told when a sync fails", async () => {
    const runner = await joinRunner(test);
    const session = await runner.beginSession();
    await test.ctx.db.run(sql`drop table attempts`);
    const answer = await runner.send({ changes: [runner.observation('t1', 'running')] });
    expect(problemOf(answer).code).toBe('internal');
    expectNoTrace(answer.text, session.key, session.session, runner.boot);
  });
});
