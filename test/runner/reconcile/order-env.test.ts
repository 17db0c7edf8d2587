import { expect, it } from 'vitest';
import { workloadKey } from '../../../src/runner/backend/simulated/simulated-engine.ts';
import { taskId } from '../../../src/protocol/ids.ts';
import type { WorkloadSpec } from '../../../src/protocol/sync.ts';
import { assignment, createRoom, refOf } from './room.ts';

async function envOf(
  spec: Partial<WorkloadSpec> & { attempt?: number },
): Promise<Readonly<Record<string, string>> | undefined> {
  const room = createRoom();
  const runner = await room.start();
  const given = assignment(1, 'sleep 1h', spec);
  room.host.assign(given);
  await room.live(runner, 1000);
  const env = room.engine.workloads.get(workloadKey(refOf(given)))?.order.env;
  await runner.stop();
  return env;
}

it('every workload learns which attempt of which task it is, and where', async () => {
  expect(await envOf({ name: 'train', attempt: 3 })).toEqual({
    WEIR_TASK_ID: taskId.fromCounter(1),
    WEIR_TASK_NAME: 'train',
    WEIR_ATTEMPT: '3',
    WEIR_NODE: 'node-1',
  });
});

it('a member learns its array, its index and how many there are', async () => {
  expect(await envOf({ array: { id: taskId.fromCounter(9), index: 4, size: 10 } })).toMatchObject({
    WEIR_ARRAY_ID: taskId.fromCounter(9),
    WEIR_ARRAY_INDEX: '4',
    WEIR_ARRAY_SIZE: '10',
  });
});
