import { describe, expect, it } from 'vitest';
import { pageOf, problemOf, smallTask, taskOf } from '../support/calls.ts';
import type { TargetOf } from './target.ts';

/** Waits for a node that does not exist, so that nothing takes it. */
const waiting = { ...smallTask, resources: { ...smallTask.resources, cpus: 1000 } };

export function taskSuite(target: TargetOf): void {
  describe('tasks', () => {
    it('keeps what it acknowledged, and gives the same task again for the same key', async () => {
      const { call } = target();
      const headers = { 'idempotency-key': 'a-key' };
      const first = await call('POST', '/api/v1/tasks', { ...waiting, name: 'kept' }, headers);
      expect(first.status).toBe(201);
      const again = await call('POST', '/api/v1/tasks', { ...waiting, name: 'kept' }, headers);
      expect(taskOf(again).id).toBe(taskOf(first).id);
      expect(problemOf(await call('POST', '/api/v1/tasks', { ...waiting, name: 'other' }, headers)).code).toBe(
        'idempotency_mismatch',
      );
      expect(taskOf(await call('GET', '/api/v1/tasks/kept'))).toMatchObject({
        id: taskOf(first).id,
        state: 'queued',
        owner: 'admin',
      });
    });

    it('lists page by page, newest first, each once', async () => {
      const { call } = target();
      const batch = Array.from({ length: 7 }, (_, at) => ({
        ...waiting,
        name: `page-${at}`,
        labels: { set: 'pages' },
      }));
      expect((await call('POST', '/api/v1/tasks/batch', batch)).status).toBe(201);
      const names: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const more: string = cursor === '' ? '' : `&cursor=${cursor}`;
        const page = pageOf(await call('GET', `/api/v1/tasks?label=set=pages&limit=3${more}`));
        names.push(...page.items.map(({ name }) => name));
        cursor = page.cursor;
      }
      expect(names).toEqual(batch.map(({ name }) => name).toReversed());
    });

    it('takes all of a batch or none, and says which field is wrong', async () => {
      const { call } = target();
      const { asOf } = pageOf(await call('GET', '/api/v1/tasks?name=half'));
      const refused = await call('POST', '/api/v1/tasks/batch', [
        { ...waiting, name: 'half' },
        { ...waiting, command: 'no array' },
      ]);
      expect(refused.status).toBe(422);
      expect(problemOf(refused).errors?.[0]?.pointer).toMatch(/^\/1\/command/);
      const after = pageOf(await call('GET', '/api/v1/tasks?name=half'));
      expect([after.items.length, after.asOf >= asOf]).toEqual([0, true]);
      expect(problemOf(await call('POST', '/api/v1/tasks', '{"image"')).code).toBe('bad_json');
      expect(problemOf(await call('POST', '/api/v1/tasks', 'image', { 'content-type': 'text/plain' })).code).toBe(
        'unsupported_media_type',
      );
    });

    it('kills a queued task at once, and refuses to do it twice', async () => {
      const { call } = target();
      const { id } = taskOf(await call('POST', '/api/v1/tasks', waiting));
      expect(taskOf(await call('POST', `/api/v1/tasks/${id}/kill`, {}))).toMatchObject({
        state: 'killed',
        end: { cause: 'killed_by' },
      });
      expect(problemOf(await call('POST', `/api/v1/tasks/${id}/kill`, {})).code).toBe('state_conflict');
      expect(taskOf(await call('GET', `/api/v1/tasks/${id}/wait?timeout=1s`)).state).toBe('killed');
    });

    it('explains why a task waits', async () => {
      const { call } = target();
      const { id } = taskOf(await call('POST', '/api/v1/tasks', waiting));
      const explained = await call('GET', `/api/v1/tasks/${id}/explain`);
      expect(explained.body).toMatchObject({ id, state: 'queued' });
    });
  });
}
