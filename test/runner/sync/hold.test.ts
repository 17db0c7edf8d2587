import { describe, expect, it } from 'vitest';
import { openHost } from '../../support/host-on-disk.ts';
import { scratchFolder } from '../../lib/node/scratch-folder.ts';
import { startCore } from './core.ts';

describe('the hold that the operator set', () => {
  it('is what a Runner asks for, also when it is longer than the usual one', async () => {
    await using on = await openHost(scratchFolder(), { syncHoldMs: 45_000, suspectMs: 60_000 });
    await using core = await startCore(on, scratchFolder());
    const asked = new Set<unknown>();
    core.wire.answerInstead(async (path, init) => {
      if (path.endsWith('/sync') && typeof init.body === 'string')
        asked.add((JSON.parse(init.body) as { holdMs: number }).holdMs);
      return null;
    });
    await on.api.submit({
      image: 'sim',
      command: ['sleep 1ms'],
      resources: { cpus: 0.1, memory: '16MiB' },
    });
    await expect.poll(() => [...asked]).toContain(45_000);
  });
});
