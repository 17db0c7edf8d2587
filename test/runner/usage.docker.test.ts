import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { ownerOfProcess } from '../../src/runner/backend/docker/cgroup.ts';
import { containerName } from '../../src/runner/backend/docker/identity.ts';
import { createUsageReader } from '../../src/runner/usage.ts';
import { createDockerNode, demoImage, docker, shell, type DockerNode } from '../support/docker.ts';
import { startOrder } from '../support/workload-orders.ts';

const { signal } = new AbortController();
let node: DockerNode;
beforeAll(async () => {
  node = await createDockerNode();
});
afterAll(() => node[Symbol.asyncDispose]());

describe('what a container uses', () => {
  it('is its cores and its memory, and its GPU memory by the processes in its group', async () => {
    await using backend = node.open();
    const order = startOrder(node.nextCounter(), { image: demoImage, argv: shell('while :; do :; done') });
    await backend.start(order, signal);
    const pid = Number(await docker('inspect', '-f', '{{.State.Pid}}', containerName(order.ref)));
    expect(await ownerOfProcess(pid)).toEqual(order.ref);
    const gpuProcesses = async () => [
      { uuid: 'GPU-a', pid, memoryBytes: 123 },
      { uuid: 'GPU-a', pid: process.pid, memoryBytes: 9 },
    ];
    const reader = createUsageReader({ backend, machine: { gpuProcesses }, ownerOfProcess, clock: systemClock });
    const look = async () => (await reader.read([order.ref], signal))[0];
    const first = await look();
    expect(first).toMatchObject({
      task: order.ref.task,
      attempt: order.ref.attempt,
      cpuMilli: null,
      gpu: [{ uuid: 'GPU-a', memoryBytes: 123 }],
    });
    let busy = await look();
    while ((busy?.cpuMilli ?? 0) < 20) busy = await look();
    expect(busy?.memoryBytes).toBeGreaterThan(0);
    await backend.remove(order.ref, signal);
    expect(await reader.read([order.ref], signal)).toEqual([]);
  });
});
