import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type {
  Backend,
  BackendEnd,
  BackendWorkload,
  StartOrder,
  WorkloadRef,
} from '../../src/runner/backend/backend.ts';
import { startOrder } from '../support/workload-orders.ts';
import type { BackendHarness, Deed, Watched } from './backend-harness.ts';
import { endedOf, watchBackend } from './backend-harness.ts';

export const { signal } = new AbortController();

/** What each test of the suite has: a backend that is watched, on an engine of the harness. */
export interface BackendFixture {
  harness: BackendHarness;
  backend: Backend & AsyncDisposable;
  watched: Watched;
  /** An order for a workload that is removed after the test. */
  order(...deeds: Deed[]): StartOrder;
  /** Starts a workload and waits for its end. */
  run(...deeds: Deed[]): Promise<{ ref: WorkloadRef; end: BackendEnd }>;
}

/** Makes the fixture anew for each test; to be read inside of tests alone. */
export function useBackend(makeHarness: () => Promise<BackendHarness>): BackendFixture {
  let orders: StartOrder[] = [];
  const fixture = {
    order(...deeds) {
      const { harness } = fixture;
      const made = startOrder(harness.nextCounter(), {
        image: harness.image,
        argv: harness.argv(deeds),
      });
      orders.push(made);
      return made;
    },
    async run(...deeds) {
      const made = fixture.order(...deeds);
      await fixture.backend.start(made, signal);
      return { ref: made.ref, end: (await fixture.watched.until(endedOf(made.ref))).end };
    },
  } as BackendFixture;
  beforeAll(async () => {
    fixture.harness = await makeHarness();
  });
  afterAll(() => fixture.harness[Symbol.asyncDispose]());
  beforeEach(async () => {
    fixture.backend = fixture.harness.open();
    fixture.watched = await watchBackend(fixture.backend);
  });
  afterEach(async () => {
    fixture.harness.reconnect();
    await fixture.watched[Symbol.asyncDispose]();
    for (const { ref } of orders) await fixture.backend.remove(ref, signal);
    orders = [];
    await fixture.backend[Symbol.asyncDispose]();
  });
  return fixture;
}

export async function listed(from: Backend, ref: WorkloadRef): Promise<BackendWorkload | undefined> {
  const all = await from.list(signal);
  return all.find((one) => one.ref.task === ref.task && one.ref.attempt === ref.attempt);
}
