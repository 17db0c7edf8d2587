import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { smallTask } from '../../support/calls.ts';
import { openTestContext, type TestContext } from '../../support/host-context.ts';
import { startTestHost } from '../../support/host.ts';
import { parseExposition } from '../../support/prometheus.ts';
import { joinRunner } from '../../support/runner-wire.ts';

let test: TestContext;
beforeEach(async () => {
  test = await openTestContext();
});
afterEach(() => test[Symbol.asyncDispose]());

const scrape = () => test.call('GET', '/metrics');

async function sample(name: string, labels: Record<string, string>): Promise<number | undefined> {
  const wanted = JSON.stringify(labels);
  const families = parseExposition((await scrape()).text);
  return [...families.values()]
    .flatMap((family) => family.samples)
    .find((one) => one.name === name && JSON.stringify(one.labels) === wanted)?.value;
}

/** Where Prometheus' own tool is installed it has the last word. */
function promtool(text: string): string {
  const { error, status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  return error !== undefined || status === 0 ? '' : stderr;
}

describe('/metrics', () => {
  it('is a text that Prometheus reads', async () => {
    await joinRunner(test);
    await test.call('POST', '/api/v1/tasks', smallTask);
    await test.call('GET', '/api/v1/nothing"\\\n');
    const answer = await scrape();
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(parseExposition(answer.text).size).toBeGreaterThan(3);
    expect(promtool(answer.text)).toBe('');
  });

  it('is one on a whole Host too', async () => {
    await using host = await startTestHost();
    await host.call('POST', '/api/v1/tasks', smallTask);
    const { text } = await host.call('GET', '/metrics');
    expect([...parseExposition(text).keys()]).toEqual(
      expect.arrayContaining(['weir_commit_seconds', 'weir_placement_seconds', 'weir_tasks']),
    );
    expect(promtool(text)).toBe('');
  });

  it('counts tasks and nodes by state, and all states from the first', async () => {
    expect(await sample('weir_tasks', { state: 'queued' })).toBe(0);
    await joinRunner(test);
    await test.call('POST', '/api/v1/tasks/batch', [smallTask, smallTask]);
    expect(await sample('weir_tasks', { state: 'queued' })).toBe(2);
    await test.call('POST', '/api/v1/tasks/t1/kill', {});
    expect(await sample('weir_tasks', { state: 'killed' })).toBe(1);
    expect(await sample('weir_tasks', { state: 'queued' })).toBe(1);
    expect(await sample('weir_nodes', { state: 'ready' })).toBe(1);
    expect(await sample('weir_queue_oldest_seconds', {})).toBeGreaterThanOrEqual(0);
  });

  it('names requests by their route, never by what a caller wrote', async () => {
    for (const path of ['/api/v1/tasks/t1', '/api/v1/tasks/t2', '/api/v1/nothing', '/x', '/api/v1/tasks/canary'])
      await test.call('GET', path);
    expect(await sample('weir_http_request_seconds_count', { route: '/api/v1/tasks/:task', status: '404' })).toBe(3);
    const { text } = await scrape();
    expect(text).not.toContain('canary');
    expect(text).not.toContain('nothing');
  });
});

describe('/readyz', () => {
  it('says no as soon as the Host stops, while /healthz still says that it lives', async () => {
    test.stop();
    expect((await test.call('GET', '/readyz')).status).toBe(503);
    expect((await test.call('GET', '/healthz')).status).toBe(200);
  });
});
