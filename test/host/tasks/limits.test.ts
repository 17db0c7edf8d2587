import { describe, expect, it } from 'vitest';
import { startTestHost } from '../../support/host.ts';

const task = { image: 'debian:12', command: ['true'], resources: { cpus: 1, memory: '16MiB' } };

describe('the limit of a batch', () => {
  it('is the one that the operator set', async () => {
    await using test = await startTestHost({ config: { maxBatch: 2 } });
    const refused = await test.call('POST', '/api/v1/tasks/batch', [task, task, task]);
    expect(refused).toMatchObject({
      status: 422,
      body: { code: 'invalid_field', fix: expect.stringContaining('tasks.maxBatch') },
    });
    expect((await test.call('POST', '/api/v1/tasks/batch', [task, task])).status).toBe(201);
  });
});
