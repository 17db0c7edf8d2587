import { describe, expect, it } from 'vitest';
import type { BackendFixture } from './backend-fixture.ts';
import { signal } from './backend-fixture.ts';
import { collect, decode, firstChunk, text } from './log-chunks.ts';

/** How output is read and images are fetched. */
export function logContract(fixture: BackendFixture): void {
  describe('logs', () => {
    it('are whole from the start, both streams in order, while it runs', async () => {
      const made = fixture.order(
        { print: 'one' },
        { sleepMs: 100 },
        { warn: 'two' },
        { sleepMs: 100 },
        { print: 'drei ✓' },
      );
      await fixture.backend.start(made, signal);
      const chunks = await collect(fixture.backend.logs(made.ref, null, signal));
      expect(chunks.map((chunk) => [chunk.stream, decode(chunk)])).toEqual([
        ['stdout', 'one\n'],
        ['stderr', 'two\n'],
        ['stdout', 'drei ✓\n'],
      ]);
      expect(chunks.map((chunk) => chunk.atUs)).toEqual(chunks.map((chunk) => chunk.atUs).toSorted((a, b) => a - b));
      expect(await fixture.backend.end(made.ref, signal)).toMatchObject({ exitCode: 0 });
    });

    it('go on behind each position, also in a new backend', async () => {
      const { ref } = await fixture.run({ print: 'a' }, { print: 'b' }, { print: 'c' });
      const chunks = await collect(fixture.backend.logs(ref, null, signal));
      const next = fixture.harness.open();
      const tails = [];
      for (const { position } of chunks) tails.push(text(await collect(next.logs(ref, position, signal))));
      await next[Symbol.asyncDispose]();
      expect(tails).toEqual(['b\nc\n', 'c\n', '']);
    });

    it('come at once, not when something else happens', async () => {
      const made = fixture.order({ print: 'early' }, 'sleep for ever');
      await fixture.backend.start(made, signal);
      expect(decode(await firstChunk(fixture.backend, made.ref))).toBe('early\n');
    });

    it('are none for what never was', async () => {
      expect(await collect(fixture.backend.logs(fixture.order().ref, null, signal))).toEqual([]);
    });

    it('stop with the reason of the signal', async () => {
      const made = fixture.order('sleep for ever');
      await fixture.backend.start(made, signal);
      const stop = new AbortController();
      const reading = collect(fixture.backend.logs(made.ref, null, stop.signal));
      stop.abort(new Error('enough'));
      await expect(reading).rejects.toThrow('enough');
    });
  });

  describe('pull', () => {
    it('is over at once for an image that is there', async () => {
      await expect(fixture.backend.pull(fixture.harness.image, () => undefined, signal)).resolves.toBeUndefined();
    });

    it('says image_not_found in a sentence that quotes it', async () => {
      const pull = fixture.backend.pull(fixture.harness.missingImage, () => undefined, signal);
      await expect(pull).rejects.toMatchObject({
        code: 'image_not_found',
        message: expect.stringContaining(fixture.harness.missingImage),
      });
    });
  });
}
