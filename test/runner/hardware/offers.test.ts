import { expect, it } from 'vitest';
import { silentLogger } from '../../../src/lib/logger.ts';
import { createHardwareReader } from '../../../src/runner/hardware/hardware-reader.ts';

it('the hardware that is reported carries what the node offers', async () => {
  const reader = createHardwareReader({
    root: '/nowhere-at-all',
    architecture: 'x86_64',
    dataDir: '/',
    run: async () => ({ outcome: 'absent' }),
    log: silentLogger,
    clock: { monotonic: () => 0 },
    loopLagMs: () => 0,
    engine: async () => null,
    offers: async () => ['mount:data'],
  });
  const hardware = await reader.readHardware(new AbortController().signal);
  expect(hardware.offers).toEqual(['mount:data']);
});
