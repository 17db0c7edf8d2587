import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLab, shellTask, type Served, type WeirLab } from '../support/weir-lab.ts';

let lab: WeirLab;
let up: Served;

beforeAll(async () => {
  lab = await openLab();
  up = await lab.up();
});
afterAll(() => lab[Symbol.asyncDispose]());

/** Submits, waits for the end, and answers both the task and its output. */
async function run(spec: Record<string, unknown>) {
  const { id } = await up.api.submit(spec);
  const task = await up.api.end(id);
  return { id, task, output: await up.api.text(`/tasks/${id}/logs?follow=true`) };
}

describe('weir up', () => {
  it('runs a task, keeps its output, and leaves no container behind', async () => {
    const { id, task, output } = await run(
      shellTask('echo hi; echo there >&2; echo "$A $WEIR_TASK_ID"', { name: 'hello', env: { A: '1' } }),
    );
    expect(task).toMatchObject({
      name: 'hello',
      state: 'succeeded',
      attempt: 1,
      end: { cause: 'exit', exitCode: 0, signal: null },
    });
    expect(output.split('\n').toSorted()).toEqual(['', `1 ${id}`, 'hi', 'there']);
    expect(Date.parse(task.endedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(task.startedAt ?? ''));
    await expect.poll(() => lab.containers(), { timeout: 10_000 }).toEqual([]);
  });

  it('tells the exit code of one that fails', async () => {
    const { task } = await run(shellTask('exit 3'));
    expect(task).toMatchObject({ state: 'failed', end: { cause: 'exit', exitCode: 3, message: 'exited with code 3' } });
  });

  it('calls it oom with the evidence of the kernel', async () => {
    const { task } = await run(shellTask('x=0123456789abcdef; while :; do x=$x$x; done'));
    expect(task).toMatchObject({ state: 'failed', end: { cause: 'oom', evidence: { limitBytes: 16 * 1024 * 1024 } } });
    const { evidence } = task.end ?? {};
    expect(
      evidence?.oomEvent === true || evidence?.oomKilled === true || (evidence?.peakBytes ?? 0) >= 16 * 1024 * 1024,
    ).toBe(true);
  });

  it('stops one at its time limit', async () => {
    const { task, output } = await run(
      shellTask('trap "echo told; exit 9" TERM; echo begun; while :; do sleep 0.05; done', { timeLimit: '1s' }),
    );
    expect(task).toMatchObject({ state: 'failed', end: { cause: 'timeout', exitCode: 9 } });
    expect(output).toBe('begun\ntold\n');
    const ranMs = Date.parse(task.endedAt ?? '') - Date.parse(task.startedAt ?? '');
    expect(ranMs).toBeGreaterThanOrEqual(1000);
  });

  it('kills one that does not listen, behind its grace', async () => {
    const { id } = await up.api.submit(
      shellTask('trap "" TERM; echo begun; while :; do sleep 0.05; done', { stopGrace: '1s' }),
    );
    await up.api.until(id, ({ state }) => state === 'running');
    await expect.poll(() => up.api.text(`/tasks/${id}/logs`), { timeout: 10_000 }).toBe('begun\n');
    await up.api.post(`/tasks/${id}/kill`, { message: 'enough' });
    expect(await up.api.end(id)).toMatchObject({
      state: 'killed',
      end: { cause: 'killed_by', exitCode: 137, message: expect.stringContaining('enough') },
    });
  });

  it('queues what does not fit at once, with the reason, and runs it afterwards', async () => {
    const { items } = await up.api.get<{ items: { hardware: { cpuMilli: number } | null }[] }>('/nodes');
    const cpus = (items[0]?.hardware?.cpuMilli ?? 0) / 1000;
    expect(cpus).toBeGreaterThan(0);
    const whole = (script: string) => shellTask(script, { resources: { cpus, memory: '16MiB' } });
    const first = await up.api.submit(whole('sleep 600'));
    await up.api.until(first.id, ({ state }) => state === 'running');
    const second = await up.api.submit(whole('echo mine'));
    const queued = await up.api.until(second.id, ({ reason }) => reason !== null && reason.code !== 'submitted');
    expect(queued).toMatchObject({ state: 'queued', node: null });
    expect(queued.reason?.message).toMatch(/cores .* free at once/);
    await up.api.post(`/tasks/${first.id}/kill`, { force: true });
    expect((await up.api.end(second.id)).end).toMatchObject({ cause: 'exit', exitCode: 0 });
  });

  it('says of what no node can ever fit why, and keeps it', async () => {
    const { id } = await up.api.submit(shellTask('exit 0', { resources: { cpus: 4000, memory: '16MiB' } }));
    const task = await up.api.until(id, ({ reason }) => reason !== null && reason.code !== 'submitted');
    expect(task).toMatchObject({ state: 'queued', reason: { code: 'impossible' } });
    await up.api.post(`/tasks/${id}/kill`);
    expect(await up.api.task(id)).toMatchObject({ state: 'killed' });
  });

  it('says image_not_found of an image that is nowhere, and start_failed of a command that is not in it', async () => {
    expect((await run({ ...shellTask('x'), image: 'weir/nowhere:1' })).task.end?.cause).toBe('image_not_found');
    expect((await run({ ...shellTask('x'), command: ['/bin/nope'] })).task.end?.cause).toBe('start_failed');
  });
});
