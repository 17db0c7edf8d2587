import { describe, expect, it } from 'vitest';
import type { NetworkState } from '../../src/runner/network/workload-network.ts';
import { isolatedNetwork } from '../../src/runner/workload-network.ts';

const { signal } = new AbortController();
const common = { networkMode: 'weir', subnet: null, gateway: null };
const network = (state: NetworkState) => ({ current: () => null, ensure: async () => state });
const open = network({ ...common, isolated: false, why: 'nft is not there' });

describe('a network that cannot keep workloads apart', () => {
  it('is joined by nobody, who wait until it can', async () => {
    await expect(isolatedNetwork(open, { unisolated: false }, signal)).rejects.toMatchObject({
      code: 'engine_down',
      message: 'this node cannot keep workloads apart: nft is not there',
    });
  });

  it("is joined where the node's file allows it", async () => {
    expect(await isolatedNetwork(open, { unisolated: true }, signal)).toEqual({ networkMode: 'weir' });
  });
});

it('one that keeps them apart is joined in any case', async () => {
  const kept = network({ ...common, isolated: true });
  expect(await isolatedNetwork(kept, { unisolated: false }, signal)).toEqual({ networkMode: 'weir' });
});

it('one that the Engine does not have is waited for, whatever the file allows', async () => {
  const absent = { current: () => null, ensure: () => Promise.reject(new Error('no answer')) };
  await expect(isolatedNetwork(absent, { unisolated: true }, signal)).rejects.toMatchObject({ code: 'engine_down' });
});
