import { describe, expect, it } from 'vitest';
import { openHost } from '../../support/host-on-disk.ts';
import { scratchFolder } from '../../lib/node/scratch-folder.ts';
import { simulated, startCore } from './core.ts';

describe('a Host that holds no calls', () => {
  it('is not asked without end, and its orders still come', async () => {
    await using on = await openHost(scratchFolder(), { syncHoldMs: 0 });
    await using core = await startCore(on, scratchFolder());
    let asked = 0;
    core.wire.answerInstead(async (path) => {
      if (path.endsWith('/sync')) asked += 1;
      return null;
    });
    const more = async (count: number): Promise<void> => {
      const upTo = asked + count;
      await expect.poll(() => asked, { timeout: 10_000 }).toBeGreaterThanOrEqual(upTo);
    };
    // The first tell of the machine.
    await more(5);
    const begunMs = performance.now();
    await more(20);
    // Rests of half a second, and this Runner's are a twentieth as long.
    expect(performance.now() - begunMs).toBeGreaterThan(19 * 25 * 0.9);
    const { id } = await on.api.submit(simulated('sleep 20ms exit 0'));
    await expect.poll(async () => (await on.api.task(id)).state, { timeout: 10_000 }).toBe('succeeded');
  }, 20_000);
});
