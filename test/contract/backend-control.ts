import { describe, expect, it } from 'vitest';
import type { BackendFixture } from './backend-fixture.ts';
import { listed, signal } from './backend-fixture.ts';
import { changedTo, endedOf, removedOf, watchBackend } from './backend-harness.ts';
import { collect, firstChunk } from './log-chunks.ts';

/** How workloads are killed, paused, removed, and what an engine out of reach means. */
export function controlContract(fixture: BackendFixture): void {
  describe('kill, pause and resume', () => {
    it('ends with the signal that was sent', async () => {
      const made = fixture.order('sleep for ever');
      await fixture.backend.start(made, signal);
      await fixture.backend.kill(made.ref, 'SIGTERM', signal);
      expect((await fixture.watched.until(endedOf(made.ref))).end).toMatchObject({
        exitCode: 143,
        signal: 'SIGTERM',
      });
    });

    it('needs SIGKILL for what ignores SIGTERM, and that is no oom', async () => {
      const made = fixture.order({ ignore: 'SIGTERM' }, { print: 'deaf' }, 'sleep for ever');
      await fixture.backend.start(made, signal);
      await firstChunk(fixture.backend, made.ref);
      await fixture.backend.kill(made.ref, 'SIGTERM', signal);
      expect(await fixture.backend.end(made.ref, signal)).toBeNull();
      await fixture.backend.kill(made.ref, 'SIGKILL', signal);
      const { end } = await fixture.watched.until(endedOf(made.ref));
      expect(end).toMatchObject({
        exitCode: 137,
        signal: 'SIGKILL',
        oom: false,
        engineRestart: false,
      });
    });

    it('pauses and resumes, each time with an event', async () => {
      const made = fixture.order('sleep for ever');
      await fixture.backend.start(made, signal);
      await fixture.backend.pause(made.ref, signal);
      await fixture.watched.until(changedTo(made.ref, 'paused'));
      await fixture.backend.pause(made.ref, signal);
      expect(await listed(fixture.backend, made.ref)).toMatchObject({ phase: 'paused' });
      fixture.watched.seen.length = 0;
      await fixture.backend.resume(made.ref, signal);
      await fixture.watched.until(changedTo(made.ref, 'running'));
      await fixture.backend.resume(made.ref, signal);
      expect(await listed(fixture.backend, made.ref)).toMatchObject({ phase: 'running' });
    });

    it('kills what is paused', async () => {
      const made = fixture.order('sleep for ever');
      await fixture.backend.start(made, signal);
      await fixture.backend.pause(made.ref, signal);
      await fixture.backend.kill(made.ref, 'SIGKILL', signal);
      expect((await fixture.watched.until(endedOf(made.ref))).end).toMatchObject({
        exitCode: 137,
        oom: false,
      });
    });

    it('does nothing to what has ended or never was', async () => {
      const { ref } = await fixture.run();
      for (const one of [ref, fixture.order().ref]) {
        await fixture.backend.kill(one, 'SIGKILL', signal);
        await fixture.backend.pause(one, signal);
        await fixture.backend.resume(one, signal);
      }
      expect(await fixture.backend.end(ref, signal)).toMatchObject({ exitCode: 0 });
    });
  });

  describe('usage', () => {
    it('tells what runs has used, and nothing of what never was', async () => {
      const made = fixture.order({ print: 'here' }, 'sleep for ever');
      await fixture.backend.start(made, signal);
      await firstChunk(fixture.backend, made.ref);
      const first = await fixture.backend.usage(made.ref, signal);
      expect(first?.cpuTimeMs).toBeGreaterThanOrEqual(0);
      expect(first?.memoryBytes).toBeGreaterThanOrEqual(0);
      const second = await fixture.backend.usage(made.ref, signal);
      expect(second?.cpuTimeMs).toBeGreaterThanOrEqual(first?.cpuTimeMs ?? Infinity);
      expect(await fixture.backend.usage(fixture.order().ref, signal)).toBeNull();
    });

    it('is told of what is paused, and of nothing that was removed', async () => {
      const made = fixture.order('sleep for ever');
      await fixture.backend.start(made, signal);
      await fixture.backend.pause(made.ref, signal);
      expect(await fixture.backend.usage(made.ref, signal)).not.toBeNull();
      await fixture.backend.remove(made.ref, signal);
      expect(await fixture.backend.usage(made.ref, signal)).toBeNull();
    });
  });

  describe('remove', () => {
    it('takes everything away, and a second time does nothing', async () => {
      const { ref } = await fixture.run();
      await fixture.backend.remove(ref, signal);
      await fixture.watched.until(removedOf(ref));
      expect(await fixture.backend.end(ref, signal)).toBe('absent');
      expect(await listed(fixture.backend, ref)).toBeUndefined();
      await fixture.backend.remove(ref, signal);
    });

    it('is safe twice at the same time', async () => {
      const made = fixture.order('sleep for ever');
      await fixture.backend.start(made, signal);
      await Promise.all([fixture.backend.remove(made.ref, signal), fixture.backend.remove(made.ref, signal)]);
      expect(await fixture.backend.end(made.ref, signal)).toBe('absent');
    });

    it('by hand is an end and then a removal', async () => {
      const made = fixture.order('sleep for ever');
      await fixture.backend.start(made, signal);
      await fixture.harness.removeByHand(made);
      await fixture.watched.until(removedOf(made.ref));
      const kinds = fixture.watched.seen.filter((event) => event.kind === 'ended' || event.kind === 'removed');
      expect(kinds.map((event) => event.kind)).toEqual(['ended', 'removed']);
      expect(await fixture.backend.end(made.ref, signal)).toBe('absent');
    });
  });

  describe('an engine out of reach', () => {
    it('is engine_down to every call, and says relist when it is back', async () => {
      const made = fixture.order({ sleepMs: 100 }, { exit: 6 });
      await fixture.backend.start(made, signal);
      fixture.watched.seen.length = 0;
      fixture.harness.disconnect();
      await expect(fixture.backend.list(signal)).rejects.toMatchObject({ code: 'engine_down' });
      await expect(fixture.backend.end(made.ref, signal)).rejects.toMatchObject({
        code: 'engine_down',
      });
      fixture.harness.reconnect();
      await fixture.watched.until((event) => event.kind === 'relist');
      await collect(fixture.backend.logs(made.ref, null, signal));
      expect(await fixture.backend.end(made.ref, signal)).toMatchObject({
        exitCode: 6,
        engineRestart: false,
      });
    });

    it('ends the watch without an error when nobody wants it any more', async () => {
      fixture.harness.disconnect();
      await expect(fixture.watched[Symbol.asyncDispose]()).resolves.toBeUndefined();
      fixture.harness.reconnect();
      fixture.watched = await watchBackend(fixture.backend);
    });
  });
}
