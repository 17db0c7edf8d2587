import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkloadSpec } from '../../../../src/protocol/sync.ts';
import { defaultPolicy, type RunnerPolicy } from '../../../../src/runner/policy.ts';
import type { StartOrder } from '../../../../src/runner/backend/backend.ts';
import { demoImage, docker, engineSocket, shell } from '../../../support/docker.ts';
import { createSocketProxy } from '../../../support/socket-proxy.ts';
import { startOrder } from '../../../support/workload-orders.ts';
import { createNodeWithFolders, inspect, outcome, type NodeWithFolders } from './node-with-folders.ts';

const { signal } = new AbortController();
let room: NodeWithFolders;
beforeAll(async () => {
  room = await createNodeWithFolders();
  await writeFile(join(room.srv, 'data/hello'), 'from the node');
});
afterAll(() => room[Symbol.asyncDispose]());

/** What a field does, seen in what a script finds inside the container, in what the engine says of it, or both. */
interface Effect {
  spec: Partial<WorkloadSpec>;
  policy?: () => Partial<RunnerPolicy>;
  script?: string;
  prints?: string | RegExp;
  engineSays?: object;
}

const { allow } = defaultPolicy;
const MiB = 1024 * 1024;
const counterOf = (file: string): string => `cat /sys/fs/cgroup/${file} 2>/dev/null`;

/** Fields that mean something to the Runner and nothing to the engine, and the test of each. */
const ofTheRunner = {
  timeLimitMs: 'test/runner/reconcile/next-step.test.ts',
  stopGraceMs: 'test/runner/reconcile/next-step.test.ts',
  leaseMs: 'test/runner/reconcile/next-step.test.ts',
  logCapBytes: 'test/runner/logs/log-cap.test.ts',
  array: 'test/runner/reconcile/order-env.test.ts',
  // No GPU here: what the engine is asked for stands there.
  gpuUuids: 'test/runner/backend/docker/posture.test.ts',
} as const;

const effects: Record<Exclude<keyof WorkloadSpec, keyof typeof ofTheRunner>, Effect[]> = {
  name: [{ spec: { name: 'a_name' }, script: 'hostname', prints: 'a-name\n' }],
  owner: [{ spec: { owner: 'grace' }, engineSays: { Config: { Labels: { 'weir.owner': 'grace' } } } }],
  image: [{ spec: { image: demoImage }, engineSays: { Config: { Image: demoImage } } }],
  argv: [{ spec: { argv: ['/bin/echo', 'a b', '$X', ';'] }, prints: 'a b $X ;\n' }],
  env: [{ spec: { env: { A: '1 2' } }, script: 'echo "$A"', prints: '1 2\n' }],
  workdir: [{ spec: { workdir: '/var' }, script: 'pwd', prints: '/var\n' }],
  user: [{ spec: { user: 'nobody' }, script: 'id -u', prints: '65534\n' }],
  cpuMilli: [
    { spec: { cpuMilli: 250 }, engineSays: { HostConfig: { NanoCpus: 250_000_000 } } },
    {
      spec: { cpuMilli: 250 },
      script: counterOf('cpu/cpu.cfs_quota_us') + `|| ${counterOf('cpu.max')}`,
      prints: /^25000\b/,
    },
  ],
  cpuLimit: [
    {
      spec: { cpuMilli: 500, cpuLimit: 'burst' },
      engineSays: { HostConfig: { NanoCpus: 0, CpuQuota: 0, CpuShares: 512 } },
    },
    { spec: { cpuMilli: 0, cpuLimit: 'burst' }, engineSays: { HostConfig: { NanoCpus: 0, CpuShares: 64 } } },
    { spec: { cpuMilli: 500, cpuLimit: 'hard' }, engineSays: { HostConfig: { NanoCpus: 500_000_000 } } },
    {
      spec: { cpuMilli: 500, cpuLimit: 'burst' },
      script: counterOf('cpu/cpu.cfs_quota_us') + `|| ${counterOf('cpu.max')}`,
      prints: /^(?:-1|max)\b/,
    },
  ],
  memoryBytes: [
    { spec: { memoryBytes: 32 * MiB }, engineSays: { HostConfig: { Memory: 32 * MiB, MemorySwap: 32 * MiB } } },
  ],
  stopSignal: [{ spec: { stopSignal: 'SIGINT' }, engineSays: { Config: { StopSignal: 'SIGINT' } } }],
  stdin: [
    { spec: { stdin: 'one\ntwo ✓' }, script: 'cat; echo "|$?"', prints: 'one\ntwo ✓|0\n' },
    { spec: { stdin: 'x'.repeat(262_144) }, script: 'wc -c', prints: /^\s*262144\n$/ },
    { spec: { stdin: 'no shell between', argv: ['/bin/cat'] }, prints: 'no shell between' },
    { spec: { stdin: 'x'.repeat(262_144) }, script: 'echo it does not read', prints: 'it does not read\n' },
    { spec: { stdin: '' }, script: 'cat; echo end', prints: 'end\n' },
    { spec: {}, script: 'cat; echo end', prints: 'end\n' },
  ],
  numaNode: [
    {
      spec: { numaNode: 0 },
      engineSays: { HostConfig: { CpusetCpus: expect.stringMatching(/^\d/), CpusetMems: '0' } },
    },
    { spec: { numaNode: 0 }, script: 'grep Mems_allowed_list /proc/self/status', prints: /\s0\n$/ },
  ],
  shmBytes: [
    { spec: { shmBytes: 8 * MiB }, engineSays: { HostConfig: { ShmSize: 8 * MiB } } },
    { spec: { shmBytes: 8 * MiB }, script: "df -k /dev/shm | tail -1 | awk '{print $2}'", prints: '8192\n' },
  ],
  pidsLimit: [
    {
      spec: { pidsLimit: 17 },
      script: `${counterOf('pids/pids.max')} || ${counterOf('pids.max')}`,
      prints: '17\n',
      engineSays: { HostConfig: { PidsLimit: 17 } },
    },
  ],
  ulimits: [
    { spec: { ulimits: { nofile: { soft: 100, hard: 200 } } }, script: 'ulimit -Sn; ulimit -Hn', prints: '100\n200\n' },
    { spec: { ulimits: { cpu: { soft: 7, hard: -1 } } }, script: 'ulimit -St; ulimit -Ht', prints: '7\nunlimited\n' },
    {
      spec: { ulimits: { fsize: { soft: -1, hard: -1 } } },
      engineSays: { HostConfig: { Ulimits: expect.arrayContaining([{ Name: 'fsize', Soft: -1, Hard: -1 }]) } },
    },
    // Those that nobody named stay as they are.
    { spec: { ulimits: { stack: { soft: 65_536, hard: 65_536 } } }, script: 'ulimit -Hc', prints: '0\n' },
  ],
  // What the engine is told on a node that can: test/runner/backend/docker/posture.test.ts.
  diskBytes: [],
  mounts: [
    {
      spec: { mounts: [{ name: 'data', path: '/in/here', readOnly: true }] },
      policy: () => ({ mounts: [room.mount('data')] }),
      script: 'cat /in/here/hello; grep " /in/here " /proc/self/mountinfo | cut -d" " -f6; touch /in/here/x 2>&1',
      prints: /^from the nodero,nosuid,nodev\b.*\ntouch: .*Read-only file system\n$/,
    },
    {
      spec: { mounts: [{ name: 'data', path: '/in/here', readOnly: false }] },
      policy: () => ({ mounts: [room.mount('data')] }),
      script: 'grep " /in/here " /proc/self/mountinfo | cut -d" " -f6; echo yes > /in/here/made && cat /in/here/made',
      prints: /^rw,nosuid,nodev\b.*\nyes\n$/,
    },
  ],
  capabilities: [
    {
      spec: { capabilities: ['SYS_PTRACE', 'CHOWN'] },
      policy: () => ({ allow: { ...allow, capabilities: ['SYS_PTRACE'] } }),
      engineSays: { HostConfig: { Privileged: false, CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'] } },
    },
    {
      spec: { capabilities: ['SYS_PTRACE'] },
      policy: () => ({ allow: { ...allow, capabilities: ['SYS_PTRACE'] } }),
      script: 'grep CapEff /proc/self/status',
      // Bit 19 besides the default ones.
      prints: /\s00000000800c05fb\n$/,
    },
  ],
  devices: [
    {
      spec: { devices: ['/dev/fuse'] },
      policy: () => ({ allow: { ...allow, devices: ['/dev/fuse'] } }),
      script: 'test -c /dev/fuse && exec 3<>/dev/fuse && echo open',
      prints: 'open\n',
    },
  ],
  privileged: [
    // More of it below: not every Engine has what it takes.
    { spec: { privileged: false }, engineSays: { HostConfig: { Privileged: false } } },
  ],
  network: [
    { spec: { network: 'none' }, engineSays: { HostConfig: { NetworkMode: 'none' } } },
    { spec: { network: 'none' }, script: 'ls /sys/class/net', prints: 'lo\n' },
    {
      spec: { network: 'host' },
      policy: () => ({ allow: { ...allow, hostNetwork: true } }),
      script: 'ls /sys/class/net | grep docker0',
      prints: 'docker0\n',
      engineSays: { HostConfig: { NetworkMode: 'host' } },
    },
    // The node's own network for workloads.
    { spec: { network: 'bridge' }, engineSays: { HostConfig: { NetworkMode: 'none' } } },
  ],
};

function orderOf({ spec, script }: Effect): StartOrder {
  const argv = spec.argv ?? shell(script ?? 'true');
  return startOrder(room.node.nextCounter(), { image: demoImage, ...spec, argv });
}

const cases = Object.entries(effects).flatMap(([field, all]) => all.map((effect, at) => ({ field, at, effect })));

describe('a field of the spec has its effect', () => {
  it.each(cases)('$field, $at', async ({ effect }) => {
    await using backend = room.open(effect.policy?.());
    const order = orderOf(effect);
    const { output } = await outcome(backend, order);
    // What an effect does not speak of is met by anything.
    expect(output).toMatch(wholly(effect.prints ?? /^/));
    expect(await inspect(order)).toMatchObject(effect.engineSays ?? {});
    await backend.remove(order.ref, signal);
  });

  it.each(Object.entries(ofTheRunner))('%s, which %s tests', async (field, file) => {
    expect(await readFile(file, 'utf8')).toContain(field);
  });
});

function wholly(expected: string | RegExp): RegExp {
  if (typeof expected !== 'string') return expected;
  return new RegExp(`^${expected.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
}

/** What the node cannot or may not give, and its words. */
const refusals: [string, Partial<WorkloadSpec>, string][] = [
  ['privileged', { privileged: true }, "this node's file does not allow privileged"],
  ["the node's network", { network: 'host' }, "this node's file does not allow the node's own network"],
  ['a device', { devices: ['/dev/kvm'] }, "this node's file does not allow the device /dev/kvm"],
  ['a capability', { capabilities: ['SYS_ADMIN'] }, "this node's file does not allow the capability SYS_ADMIN"],
  [
    'a mount',
    { mounts: [{ name: 'secret', path: '/x', readOnly: false }] },
    'there is no mount "secret" on this node (it has none)',
  ],
  ['a NUMA node', { numaNode: 7 }, 'this machine has no NUMA node 7 (it has 0)'],
  ['a limit of the disk', { diskBytes: 64 * MiB }, "this node cannot limit a container's disk: its storage driver is"],
  ['a limit above its own', { ulimits: { nofile: { soft: 1, hard: 2_000_000_000 } } }, 'cannot give the ulimits'],
];

describe('the Runner refuses, whoever asks,', () => {
  it.each(refusals)('%s', async (_what, spec, sentence) => {
    await using backend = room.open();
    const order = orderOf({ spec });
    await expect(backend.start(order, signal)).rejects.toMatchObject({
      code: 'start_failed',
      message: expect.stringContaining(sentence),
    });
    expect(await backend.end(order.ref, signal)).toBe('absent');
  });

  it('a device that is allowed and not there', async () => {
    await using backend = room.open({ allow: { ...allow, devices: ['/dev/absent'] } });
    await expect(backend.start(orderOf({ spec: { devices: ['/dev/absent'] } }), signal)).rejects.toMatchObject({
      code: 'start_failed',
      message: 'this machine has no device /dev/absent',
    });
  });

  it('what was created while it was allowed and never ran; what runs is left alone', async () => {
    const order = orderOf({ spec: { capabilities: ['SYS_PTRACE'] }, script: 'sleep 86400' });
    await using allowing = room.open({ allow: { ...allow, capabilities: ['SYS_PTRACE'] } });
    await using denying = room.open();
    await allowing.start(order, signal);
    expect(await denying.start(order, signal)).toMatchObject({ phase: 'running' });
    await denying.remove(order.ref, signal);
    await using proxy = await createSocketProxy(join(room.node.folder, 'cut.sock'), engineSocket);
    const policy = { allow: { ...allow, capabilities: ['SYS_PTRACE'] } };
    await using cut = room.open(policy, { socketPath: proxy.path });
    proxy.downAt(/^POST \/containers\/[^/]+\/start/);
    await expect(cut.start(order, signal)).rejects.toMatchObject({ code: 'engine_down' });
    expect(await denying.list(signal)).toContainEqual(expect.objectContaining({ ref: order.ref, phase: 'created' }));
    await expect(denying.start(order, signal)).rejects.toMatchObject({ code: 'start_failed' });
    await denying.remove(order.ref, signal);
  });
});

describe('privileged', () => {
  it('is given where the node allows it, or the Engine says that it cannot', async () => {
    await using backend = room.open({ allow: { ...allow, privileged: true } });
    const order = orderOf({ spec: { privileged: true }, script: 'mount -t tmpfs none /tmp && echo mounted' });
    const able = await docker('run', '--rm', '--privileged', '--network', 'none', demoImage, 'true').then(
      () => true,
      () => false,
    );
    if (able) {
      expect(await outcome(backend, order)).toMatchObject({ output: 'mounted\n' });
      expect(await inspect(order)).toMatchObject({ HostConfig: { Privileged: true } });
    } else {
      await expect(backend.start(order, signal)).rejects.toThrow(/this node cannot give the capabilities/);
    }
  });
});
