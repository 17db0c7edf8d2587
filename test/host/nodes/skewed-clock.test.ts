import { describe, expect, it } from 'vitest';
import { nodeHashes } from '../../../src/lib/node/hashes.ts';
import { protocolVersion } from '../../../src/protocol/version.ts';
import { createHostClock } from '../../../src/runner/time/host-clock.ts';
import { createHostClient } from '../../../src/runner/sync/host-client.ts';
import { openTestContext } from '../../support/host-context.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { digestOf, joinRunner } from '../../support/runner-wire.ts';

const hourMs = 3_600_000;

describe('a Runner whose machine has the wrong time', () => {
  it.each([hourMs, -hourMs, 10 * 365 * 24 * hourMs])(
    "by %i ms learns the Host's from its refusal and gets through at once",
    async (offMs) => {
      const clock = createManualClock();
      await using test = await openTestContext({ clock });
      await clock.advance(hourMs);
      const runner = await joinRunner({ call: test.call, now: clock.now });
      const skewed = { ...clock, now: () => clock.now() + offMs };
      const hostClock = createHostClock(skewed);
      const statuses: number[] = [];
      const client = createHostClient({
        url: 'http://localhost',
        fetch: async (input, init) => {
          const answer = await test.app.fetch(new Request(input, init));
          statuses.push(answer.status);
          return answer;
        },
        clock: skewed,
        hostClock,
        hashes: nodeHashes,
        proof: (nowMs) => runner.proof({ nowMs }),
        onSession: () => undefined,
      });
      const { epoch } = runner.enrolled;
      const told = { protocol: protocolVersion, epoch, boot: 'boot-two', seq: 0, appliedGeneration: 0 };
      const seen = { digest: digestOf([]), full: false, changes: [], addresses: { api: null, data: null }, holdMs: 0 };
      const answer = await client.sync({ ...told, ...seen }, new AbortController().signal);
      expect(answer.desired?.tasks).toEqual([]);
      expect(statuses).toEqual([401, 201, 200]);
      expect(Math.abs(hostClock.now() - clock.now())).toBeLessThan(1000);
    },
  );
});
