import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/lib/logger.ts';
import type { WorkloadRef } from '../../../src/runner/backend/backend.ts';
import { createLogKeeper, type LogKeeper } from '../../../src/runner/logs/log-keeper.ts';
import { hurriedClock, never, ref, scriptedBackend, temporaryFolder } from './support.ts';

const capBytes = 64 * 1024;

async function keptOf(logCapBytes: number | undefined, printed: string): Promise<string> {
  await using folder = await temporaryFolder();
  const backend = scriptedBackend();
  const asked: WorkloadRef[] = [];
  const capOf = (of: WorkloadRef): number | undefined => {
    asked.push(of);
    return logCapBytes;
  };
  await using keeper = createLogKeeper({
    dir: folder.path,
    clock: hurriedClock,
    log: silentLogger,
    backend,
    capBytes,
    capOf,
  });
  backend.say(printed);
  backend.end();
  await keeper.complete(ref(1), never);
  expect(asked).toEqual([ref(1)]);
  return textOf(keeper);
}

async function textOf(keeper: LogKeeper): Promise<string> {
  let text = '';
  for await (const records of keeper.read(ref(1), {}, never)) {
    for (const { bytes } of records) text += Buffer.from(bytes).toString();
  }
  return text;
}

describe('the cap of one log', () => {
  const printed = 'x'.repeat(100_000);

  it('is what the task says as logCapBytes, and the log says that it was cut', async () => {
    const text = await keptOf(4096, printed);
    expect(text).toMatch(/^x{4000,4096}\n\[weir: \d+ bytes of output were cut, the log is full at 4096 bytes\]\n$/);
  });

  it.each([undefined, 1_000_000])('is never more than the node keeps: %s', async (logCapBytes) => {
    expect(await keptOf(logCapBytes, printed)).toContain('the log is full at 65536 bytes');
  });
});

describe('what is stored here', () => {
  it('is given up by the backend, no further than the file goes by itself', async () => {
    await using folder = await temporaryFolder();
    const scripted = scriptedBackend();
    const trimmed: number[] = [];
    const backend = {
      logs: scripted.logs,
      async trimLogs(_of: WorkloadRef, position: string) {
        trimmed.push(Number(position));
      },
    };
    await using keeper = createLogKeeper({ dir: folder.path, clock: hurriedClock, log: silentLogger, backend });
    const line = `${'y'.repeat(1024 * 1024 - 1)}\n`;
    for (let at = 0; at < 40; at += 1) scripted.say(line);
    scripted.end();
    await keeper.complete(ref(1), never);
    // Every 16 MiB; a position is the number of chunks.
    expect(trimmed).toEqual([16, 32]);
    expect(await textOf(keeper)).toHaveLength(40 * line.length);
  });
});
