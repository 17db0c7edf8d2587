import { describe, expect, it } from 'vitest';
import { pageOf, problemOf, smallTask, taskOf } from '../support/calls.ts';
import { readEvents } from '../support/sse.ts';
import type { TargetOf } from './target.ts';

const waiting = { ...smallTask, resources: { ...smallTask.resources, cpus: 1000 } };

export function eventSuite(target: TargetOf): void {
  const follow = (search: string, headers: Record<string, string> = {}): Promise<Response> => {
    const { url, token } = target();
    return fetch(`${url}/api/v1/events?${search}`, {
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
  };

  describe('events', () => {
    it('come as they happen, in order, behind what was read by a list', async () => {
      const { call } = target();
      const { asOf } = pageOf(await call('GET', '/api/v1/tasks?limit=1'));
      await using stream = readEvents(await follow(`since=${asOf}&type=task.queued`));
      const { id } = taskOf(await call('POST', '/api/v1/tasks', waiting));
      const next = taskOf(await call('POST', '/api/v1/tasks', waiting)).id;
      const seen = await stream.until(2);
      expect(seen.map(({ subject }) => subject.id)).toEqual([id, next]);
      expect(seen.map(({ seq }) => seq > asOf)).toEqual([true, true]);
    });

    it('are resumed behind the last one, and refused where that is not known', async () => {
      const { call } = target();
      const { id } = taskOf(await call('POST', '/api/v1/tasks', waiting));
      await call('POST', `/api/v1/tasks/${id}/kill`, {});
      const types = async (headers: Record<string, string>, count: number): Promise<[string[], number]> => {
        await using stream = readEvents(await follow(`since=0&subject=${id}`, headers));
        const seen = await stream.until(count);
        return [seen.map(({ type }) => type), seen[0]?.seq ?? 0];
      };
      const [first, seq] = await types({}, 1);
      expect(first).toEqual(['task.queued']);
      const [later] = await types({ 'last-event-id': String(seq) }, 1);
      expect(later).not.toContain('task.queued');
      const ahead = await call('GET', '/api/v1/events?since=999999999999');
      expect([ahead.status, problemOf(ahead).code]).toEqual([410, 'gone']);
    });
  });
}
