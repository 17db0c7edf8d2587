import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createChannel } from '../../../../src/runner/backend/channel.ts';
import { parseNofileHard } from '../../../../src/runner/backend/docker/engine-process.ts';
import { blankedVariables, containerEnv } from '../../../../src/runner/backend/docker/image-env.ts';
import { createKillMarks } from '../../../../src/runner/backend/docker/kill-marks.ts';
import { createLimiter } from '../../../../src/runner/backend/docker/limiter.ts';

describe('the environment', () => {
  it('blanks what an image sets unasked, and nothing else', () => {
    const image = [
      'PATH=/bin',
      'LD_PRELOAD=/evil.so',
      'NVIDIA_VISIBLE_DEVICES=all',
      'NVIDIA_REQUIRE_CUDA=cuda>=12',
      'OLD_X=1',
    ];
    expect(blankedVariables(image)).toEqual({ LD_PRELOAD: '', NVIDIA_VISIBLE_DEVICES: '' });
  });

  it('names exactly the GPUs that were given, whatever image and task say', () => {
    const parts = {
      imageEnv: [],
      spec: { NVIDIA_VISIBLE_DEVICES: 'all', A: '1' },
      weir: { WEIR_TASK_ID: 't1' },
    };
    expect(containerEnv({ ...parts, gpuUuids: ['GPU-1', 'GPU-2'] })).toContain('NVIDIA_VISIBLE_DEVICES=GPU-1,GPU-2');
    expect(containerEnv({ ...parts, gpuUuids: [] })).toEqual(['NVIDIA_VISIBLE_DEVICES=void', 'A=1', 'WEIR_TASK_ID=t1']);
  });
});

describe('the limiter', () => {
  const { signal } = new AbortController();

  it('lets no more run than it may, in order', async () => {
    const limiter = createLimiter(2);
    const begun: number[] = [];
    const finish: (() => void)[] = [];
    const all = [0, 1, 2, 3].map((number) =>
      limiter.run(() => {
        begun.push(number);
        return new Promise<void>((resolve) => {
          finish[number] = resolve;
        });
      }, signal),
    );
    await expect.poll(() => begun).toEqual([0, 1]);
    finish[1]?.();
    await all[1];
    await expect.poll(() => begun).toEqual([0, 1, 2]);
    finish[0]?.();
    finish[2]?.();
    await expect.poll(() => begun).toEqual([0, 1, 2, 3]);
    finish[3]?.();
    await Promise.all(all);
  });

  it('gives the turn of one that left to the next, and goes on after a failure', async () => {
    const limiter = createLimiter(1);
    const stop = new AbortController();
    let finish = (): void => undefined;
    const first = limiter.run(() => new Promise<void>((resolve) => (finish = resolve)), signal);
    const second = limiter.run(async () => 'never', stop.signal);
    const third = limiter.run(() => Promise.reject(new Error('broken')), signal);
    const fourth = limiter.run(async () => 'fourth', signal);
    stop.abort(new Error('left'));
    await expect(second).rejects.toThrow('left');
    finish();
    await first;
    await expect(third).rejects.toThrow('broken');
    await expect(fourth).resolves.toBe('fourth');
  });
});

it('a signal of ours is known to the next incarnation, until it is cleared', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-marks-'));
  const marks = createKillMarks(folder);
  await marks.mark('weir-t1-1', 'SIGTERM');
  await marks.mark('weir-t1-2', 'SIGKILL');
  const next = createKillMarks(folder);
  expect(await next.sent('weir-t1-1')).toEqual({ anySignal: true, sigkill: false });
  expect(await next.sent('weir-t1-2')).toEqual({ anySignal: true, sigkill: true });
  expect(await next.sent('weir-t1-3')).toEqual({ anySignal: false, sigkill: false });
  await next.clear('weir-t1-2');
  expect(await createKillMarks(folder).sent('weir-t1-2')).toEqual({
    anySignal: false,
    sigkill: false,
  });
  await rm(folder, { recursive: true });
});

it('a channel whose reader is too slow says so instead of growing', async () => {
  const channel = createChannel<number>({ most: 3, overflow: -1 });
  for (const item of [1, 2, 3, 4, 5]) channel.push(item);
  channel.close();
  const read: number[] = [];
  for await (const item of channel.read()) read.push(item);
  expect(read).toEqual([-1, 4, 5]);
});

it("the limit of open files is the engine's own", () => {
  const limits = (hard: string): string =>
    `Limit   Soft Limit  Hard Limit  Units\nMax open files            1024     ${hard}    files\n`;
  expect(parseNofileHard(limits('20000'))).toBe(20_000);
  expect(parseNofileHard(limits('unlimited'))).toBeGreaterThan(1_000_000);
  expect(parseNofileHard('')).toBe(4096);
});
