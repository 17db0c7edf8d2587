import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/lib/logger.ts';
import type { WorkloadRef } from '../../../src/runner/backend/backend.ts';
import { createLogKeeper, type LogKeeper } from '../../../src/runner/logs/log-keeper.ts';
import type { LogQuery } from '../../../src/runner/logs/log-reader.ts';
import { sweepLogs } from '../../../src/runner/logs/log-retention.ts';
import { hurriedClock, never, ref, scriptedBackend, temporaryFolder } from './support.ts';

function keeperOn(dir: string, backend: ReturnType<typeof scriptedBackend>): LogKeeper {
  return createLogKeeper({ dir, clock: hurriedClock, log: silentLogger, backend });
}

async function readAll(keeper: LogKeeper, of: WorkloadRef, query: LogQuery = {}): Promise<string> {
  let all = '';
  for await (const batch of keeper.read(of, query, never)) all += batch.map(({ bytes }) => bytes.toString()).join('');
  return all;
}

describe('the log keeper', () => {
  it('keeps all output and says when it has it', async () => {
    await using folder = await temporaryFolder();
    const backend = scriptedBackend();
    await using keeper = keeperOn(folder.path, backend);
    keeper.follow(ref(1));
    keeper.follow(ref(1));
    backend.say('hello\n');
    backend.end();
    await keeper.complete(ref(1), never);
    expect(await readAll(keeper, ref(1))).toBe('hello\n');
    expect(await keeper.extent(ref(1))).toEqual({ endOffset: 6, complete: true });
    expect(backend.positions).toEqual([null]);
  });

  it('lets readers follow from the moment it does', async () => {
    await using folder = await temporaryFolder();
    const backend = scriptedBackend();
    await using keeper = keeperOn(folder.path, backend);
    keeper.follow(ref(1));
    const reading = readAll(keeper, ref(1), { follow: 'yes' });
    backend.say('one\n');
    backend.say('two\n');
    backend.end();
    expect(await reading).toBe('one\ntwo\n');
  });

  it('goes on where an earlier Runner stopped', async () => {
    await using folder = await temporaryFolder();
    const backend = scriptedBackend();
    backend.say('before\n');
    {
      await using first = keeperOn(folder.path, backend);
      first.follow(ref(1));
      for await (const _ of first.read(ref(1), { follow: 'yes' }, never)) break;
    }
    backend.say('after\n');
    backend.end();
    await using second = keeperOn(folder.path, backend);
    await second.complete(ref(1), never);
    expect(await readAll(second, ref(1))).toBe('before\nafter\n');
    expect(backend.positions).toEqual([null, '1']);
  });

  it('asks the backend no more about a log that is complete', async () => {
    await using folder = await temporaryFolder();
    const backend = scriptedBackend();
    backend.end();
    await using keeper = keeperOn(folder.path, backend);
    await keeper.complete(ref(1), never);
    await keeper.complete(ref(1), never);
    expect(backend.positions).toEqual([null]);
  });

  it('tries again when the engine fails, and doubles nothing', async () => {
    await using folder = await temporaryFolder();
    const backend = scriptedBackend();
    await using keeper = keeperOn(folder.path, backend);
    backend.say('one\n');
    keeper.follow(ref(1));
    for await (const _ of keeper.read(ref(1), { follow: 'yes' }, never)) break;
    backend.fail(new Error('engine down'));
    backend.say('two\n');
    backend.end();
    await keeper.complete(ref(1), never);
    expect(await readAll(keeper, ref(1))).toBe('one\ntwo\n');
    expect(backend.positions).toEqual([null, '1']);
  });

  it('ends the readers of a log that it removes, and leaves no folder', async () => {
    await using folder = await temporaryFolder();
    const backend = scriptedBackend();
    await using keeper = keeperOn(folder.path, backend);
    keeper.follow(ref(1));
    backend.say('one\n');
    const reader = keeper.read(ref(1), { follow: 'yes' }, never)[Symbol.asyncIterator]();
    expect((await reader.next()).done).toBe(false);
    await keeper.remove(ref(1));
    expect((await reader.next()).done).toBe(true);
    expect(await readdir(folder.path)).toEqual([]);
    expect(await keeper.extent(ref(1))).toBeNull();
  });

  it('gives up waiting when asked to, and keeps on writing', async () => {
    await using folder = await temporaryFolder();
    const backend = scriptedBackend();
    await using keeper = keeperOn(folder.path, backend);
    const stop = new AbortController();
    const waiting = keeper.complete(ref(1), stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    backend.end();
    await keeper.complete(ref(1), never);
  });

  it('refuses names that lead elsewhere', async () => {
    await using folder = await temporaryFolder();
    await using keeper = keeperOn(folder.path, scriptedBackend());
    for (const task of ['../../etc', '', 't1/../..', '.']) {
      expect(() => keeper.follow({ ...ref(1), task: task as WorkloadRef['task'] })).toThrow(TypeError);
    }
    expect(() => keeper.follow({ ...ref(1), attempt: 1.5 })).toThrow(TypeError);
  });
});

describe('retention', () => {
  const hourMs = 3_600_000;

  async function storeLog(dir: string, folder: string, log: { bytes: number; ageMs: number }): Promise<void> {
    await mkdir(join(dir, folder), { recursive: true });
    await writeFile(join(dir, folder, 'log'), Buffer.alloc(log.bytes));
    const at = new Date(100 * hourMs - log.ageMs);
    await utimes(join(dir, folder, 'log'), at, at);
  }

  it('takes what is too old and the oldest of what is too much, but nothing that is being written', async () => {
    await using folder = await temporaryFolder();
    await storeLog(folder.path, 't1/1', { bytes: 10, ageMs: 50 * hourMs });
    await storeLog(folder.path, 't2/1', { bytes: 600, ageMs: 3 * hourMs });
    await storeLog(folder.path, 't2/2', { bytes: 600, ageMs: 2 * hourMs });
    await storeLog(folder.path, 't3/1', { bytes: 300, ageMs: 1 * hourMs });
    await storeLog(folder.path, 't4/1', { bytes: 10, ageMs: 60 * hourMs });
    await sweepLogs({
      dir: folder.path,
      retention: { maxAgeMs: 10 * hourMs, maxTotalBytes: 1000 },
      nowMs: 100 * hourMs,
      isKept: (which) => which === 't4/1',
    });
    expect((await readdir(folder.path, { recursive: true })).filter((path) => path.endsWith('log')).sort()).toEqual([
      't2/2/log',
      't3/1/log',
      't4/1/log',
    ]);
    expect(await readdir(folder.path)).not.toContain('t1');
  });
});
