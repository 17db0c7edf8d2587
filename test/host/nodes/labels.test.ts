import { describe, expect, it } from 'vitest';
import { openTestContext } from '../../support/host-context.ts';
import { joinRunner } from '../../support/runner-wire.ts';

describe('a node', () => {
  it('gets labels, and loses those that are given as null', async () => {
    await using test = await openTestContext();
    await joinRunner(test, { name: 'one', labels: { rack: '4', old: 'x' } });
    const answer = await test.call('PATCH', '/api/v1/nodes/one', { labels: { rack: '5', fast: '', old: null } });
    expect(answer.body).toMatchObject({ labels: { rack: '5', fast: '' } });
    expect((await test.call('PATCH', '/api/v1/nodes/one', { labels: { 'weir.x': '1' } })).status).toBe(422);
  });

  it('that is cordoned says why, and is not called draining', async () => {
    await using test = await openTestContext();
    await joinRunner(test, { name: 'one' });
    const cordoned = await test.call('POST', '/api/v1/nodes/one/cordon', { reason: 'new disk' });
    expect(cordoned.body).toMatchObject({ cordoned: { reason: 'new disk', by: 'admin' }, draining: null });
    expect((await test.call('POST', '/api/v1/nodes/one/uncordon')).body).toMatchObject({ cordoned: null });
  });
});
