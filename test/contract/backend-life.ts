import { describe, expect, it } from 'vitest';
import { BackendError } from '../../src/runner/backend/backend.ts';
import type { BackendFixture } from './backend-fixture.ts';
import { listed, signal } from './backend-fixture.ts';
import { changedTo, endedOf, watchBackend } from './backend-harness.ts';
import { collect, text } from './log-chunks.ts';

/** How workloads start, end, and are found again. */
export function lifeContract(fixture: BackendFixture): void {
  describe('start', () => {
    it('says what runs: reference, generation, owner, and since when', async () => {
      const made = fixture.order('sleep for ever');
      const started = await fixture.backend.start(made, signal);
      expect(started).toMatchObject({
        ref: made.ref,
        generation: 7,
        owner: 'ada',
        phase: 'running',
      });
      expect(started.startedAtMs).toBeGreaterThan(0);
      expect(await listed(fixture.backend, made.ref)).toEqual(started);
      expect(await fixture.backend.end(made.ref, signal)).toBeNull();
      await fixture.watched.until(changedTo(made.ref, 'running'));
    });

    it('leaves alone what runs already', async () => {
      const made = fixture.order('sleep for ever');
      const first = await fixture.backend.start(made, signal);
      expect(await fixture.backend.start(made, signal)).toEqual(first);
    });

    it('starts once when it is asked twice at the same time', async () => {
      const made = fixture.order({ print: 'once' }, { sleepMs: 100 });
      await Promise.all([fixture.backend.start(made, signal), fixture.backend.start(made, signal)]);
      await fixture.watched.until(endedOf(made.ref));
      expect(text(await collect(fixture.backend.logs(made.ref, null, signal)))).toBe('once\n');
    });

    it('does not run again what has ended', async () => {
      const made = fixture.order({ print: 'once' });
      await fixture.backend.start(made, signal);
      await fixture.watched.until(endedOf(made.ref));
      expect(await fixture.backend.start(made, signal)).toMatchObject({ phase: 'ended' });
      expect(text(await collect(fixture.backend.logs(made.ref, null, signal)))).toBe('once\n');
    });

    it('goes on where a Runner died between create and start', async () => {
      const made = fixture.order('sleep for ever');
      fixture.harness.cutNextStart();
      await expect(fixture.backend.start(made, signal)).rejects.toMatchObject({
        code: 'engine_down',
      });
      fixture.harness.reconnect();
      expect(await listed(fixture.backend, made.ref)).toMatchObject({
        phase: 'created',
        startedAtMs: null,
      });
      expect(await fixture.backend.end(made.ref, signal)).toBeNull();
      expect(await fixture.backend.start(made, signal)).toMatchObject({ phase: 'running' });
    });

    it('tells a command that is not there in a sentence', async () => {
      const made = fixture.order();
      made.spec = { ...made.spec, argv: ['no-such-command'] };
      await fixture.backend.start(made, signal);
      const { end } = await fixture.watched.until(endedOf(made.ref));
      expect(end.startFailure).toContain('the command "no-such-command" cannot be run in');
      expect(await fixture.backend.end(made.ref, signal)).toEqual(end);
    });

    it('refuses what cannot be started in a sentence, and leaves nothing behind', async () => {
      const made = fixture.order();
      made.spec = { ...made.spec, user: 'no-such-user' };
      const failure = await fixture.backend.start(made, signal).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(BackendError);
      expect(failure).toMatchObject({ code: 'start_failed' });
      expect(String(failure)).toContain('no-such-user');
      expect(await listed(fixture.backend, made.ref)).toBeUndefined();
      expect(await fixture.backend.end(made.ref, signal)).toBe('absent');
    });

    it('says image_not_found for an image that is not there', async () => {
      const made = fixture.order();
      const spec = { ...made.spec, image: fixture.harness.missingImage };
      await expect(fixture.backend.start({ ...made, spec }, signal)).rejects.toMatchObject({
        code: 'image_not_found',
      });
    });
  });

  describe('end', () => {
    it('tells exit 0 with what was used', async () => {
      const { ref, end } = await fixture.run({ sleepMs: 50 });
      expect(end).toMatchObject({
        exitCode: 0,
        signal: null,
        oom: false,
        engineRestart: false,
        startFailure: null,
      });
      expect(end.evidence).toMatchObject({ limitBytes: 64 * 1024 * 1024 });
      expect(end.endedAtMs).toBeGreaterThan(0);
      expect(await fixture.backend.end(ref, signal)).toEqual(end);
      expect(await listed(fixture.backend, ref)).toMatchObject({ phase: 'ended' });
    });

    it('tells another exit code', async () => {
      expect((await fixture.run({ exit: 3 })).end).toMatchObject({
        exitCode: 3,
        signal: null,
        oom: false,
      });
    });

    it('tells oom because the control group said so', async () => {
      const { end } = await fixture.run('eat memory');
      expect(end).toMatchObject({ exitCode: 137, oom: true });
      expect(end.memoryPeakBytes).toBeGreaterThanOrEqual(64 * 1024 * 1024);
    });

    it('is absent for what never was', async () => {
      expect(await fixture.backend.end(fixture.order().ref, signal)).toBe('absent');
    });

    it('is known when nobody watched', async () => {
      const made = fixture.order({ sleepMs: 200 }, { exit: 4 });
      await fixture.backend.start(made, signal);
      await fixture.watched[Symbol.asyncDispose]();
      await fixture.backend[Symbol.asyncDispose]();
      fixture.backend = fixture.harness.open();
      await collect(fixture.backend.logs(made.ref, null, signal));
      expect(await fixture.backend.end(made.ref, signal)).toMatchObject({
        exitCode: 4,
        oom: false,
        engineRestart: false,
      });
      fixture.watched = await watchBackend(fixture.backend);
    });

    it('is oom for a Runner too that was not there', async () => {
      const made = fixture.order('eat memory');
      await fixture.backend.start(made, signal);
      await fixture.watched.until(endedOf(made.ref));
      const later = fixture.harness.open();
      expect(await later.end(made.ref, signal)).toMatchObject({ exitCode: 137, oom: true });
      await later[Symbol.asyncDispose]();
    });
  });

  describe('reattaching', () => {
    it('finds what runs in a new backend and sees its end', async () => {
      const made = fixture.order({ sleepMs: 300 }, { exit: 5 });
      const started = await fixture.backend.start(made, signal);
      const next = fixture.harness.open();
      const nextWatched = await watchBackend(next);
      expect(await listed(next, made.ref)).toEqual(started);
      const { end } = await nextWatched.until(endedOf(made.ref));
      expect(end).toMatchObject({ exitCode: 5, evidence: { limitBytes: 64 * 1024 * 1024 } });
      await nextWatched[Symbol.asyncDispose]();
      await next[Symbol.asyncDispose]();
    });
  });
}
