import { describe, expect, it } from 'vitest';
import { openHost } from '../../support/host-on-disk.ts';
import { scratchFolder } from '../../lib/node/scratch-folder.ts';
import { startCore } from './core.ts';

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
    const { id } = await on.api.submit({ image: 'sim', command: ['sleep 1ms'], resources: { cpus: 0.1, memory: '16MiB' } });
    for (let i = 0; i < 8; i += 1) { await new Promise((r) => setTimeout(r, 400)); const t = await on.api.task(id); console.error(t.state, JSON.stringify(t.reason), asked); }
  });
});
