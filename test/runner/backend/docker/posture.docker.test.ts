import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend, BackendEnd, StartOrder } from '../../../../src/runner/backend/backend.ts';
import { containerName } from '../../../../src/runner/backend/docker/identity.ts';
import { endedOf, watchBackend } from '../../../contract/backend-harness.ts';
import { collect, text } from '../../../contract/log-chunks.ts';
import type { DockerNode } from '../../../support/docker.ts';
import { createDockerNode, demoImage, docker, shell } from '../../../support/docker.ts';
import { startOrder } from '../../../support/workload-orders.ts';

const { signal } = new AbortController();
let node: DockerNode;
let backend: Backend & AsyncDisposable;

beforeAll(async () => {
  node = await createDockerNode();
  backend = node.open();
});
afterAll(async () => {
  await backend[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});

function task(script: string, spec: Partial<StartOrder['spec']> = {}): StartOrder {
  return startOrder(node.nextCounter(), { image: demoImage, argv: shell(script), ...spec });
}

/** What a task prints, and how it ends. */
async function outcome(order: StartOrder): Promise<{ output: string; end: BackendEnd | 'absent' | null }> {
  const watched = await watchBackend(backend);
  await backend.start(order, signal);
  await watched.until(endedOf(order.ref));
  await watched[Symbol.asyncDispose]();
  const output = text(await collect(backend.logs(order.ref, null, signal)));
  return { output, end: await backend.end(order.ref, signal) };
}

interface Inspected {
  Mounts: unknown[];
  Config: unknown;
  HostConfig: {
    Ulimits: { Name: string; Hard: number }[];
    MaskedPaths: string[];
    ReadonlyPaths: string[];
  };
}

/** What the engine says of the container, in the words of 20.10: newer ones sort and prefix capabilities. */
async function inspect(order: StartOrder): Promise<Inspected> {
  const info = JSON.parse(await docker('inspect', '--format', '{{json .}}', containerName(order.ref)));
  const host = info.HostConfig;
  const CapAdd = host.CapAdd.map((name: string) => name.replace(/^CAP_/, '')).toSorted();
  return {
    ...info,
    HostConfig: {
      ...host,
      CapAdd,
      Devices: host.Devices ?? [],
      PortBindings: host.PortBindings ?? {},
    },
  };
}

describe('a default task', () => {
  it('has the golden posture', async () => {
    const order = task('sleep 86400');
    await backend.start(order, signal);
    const { HostConfig: host, Config: config, Mounts: mounts } = await inspect(order);
    const nofile = host.Ulimits[0]?.Hard;
    expect(nofile).toBeGreaterThanOrEqual(1024);
    expect(mounts).toEqual([]);
    expect(host).toMatchObject({
      Binds: null,
      NetworkMode: 'none',
      PortBindings: {},
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      VolumesFrom: null,
      CapAdd: [
        'CHOWN',
        'DAC_OVERRIDE',
        'FOWNER',
        'FSETID',
        'KILL',
        'NET_BIND_SERVICE',
        'SETFCAP',
        'SETGID',
        'SETPCAP',
        'SETUID',
        'SYS_CHROOT',
      ],
      CapDrop: ['ALL'],
      CgroupnsMode: 'private',
      GroupAdd: null,
      IpcMode: 'private',
      PidMode: '',
      Privileged: false,
      PublishAllPorts: false,
      ReadonlyRootfs: false,
      SecurityOpt: ['no-new-privileges'],
      UTSMode: '',
      UsernsMode: '',
      ShmSize: 67_108_864,
      NanoCpus: 500_000_000,
      Memory: 67_108_864,
      MemorySwap: 67_108_864,
      CgroupParent: `/weir/${order.ref.task}-1`,
      Devices: [],
      DeviceRequests: null,
      DeviceCgroupRules: null,
      PidsLimit: 4096,
      Init: true,
      Ulimits: [
        { Name: 'nofile', Hard: nofile, Soft: Math.min(65_536, nofile ?? 0) },
        { Name: 'core', Hard: 0, Soft: 0 },
      ],
      LogConfig: {
        Type: 'json-file',
        Config: { 'max-size': '1024t', 'max-file': '1', compress: 'false', mode: 'blocking' },
      },
    });
    expect(host.MaskedPaths).toContain('/proc/kcore');
    expect(host.ReadonlyPaths).toContain('/proc/sys');
    expect(config).toMatchObject({
      Hostname: 'a-task',
      User: '',
      AttachStdin: false,
      OpenStdin: false,
      Tty: false,
      Env: expect.arrayContaining([`WEIR_TASK_ID=${order.ref.task}`, 'NVIDIA_VISIBLE_DEVICES=void']),
      Entrypoint: ['/bin/sh'],
      Cmd: ['-c', 'sleep 86400'],
      Healthcheck: { Test: ['NONE'] },
      StopSignal: 'SIGTERM',
      Labels: {
        'weir.cluster': 'test',
        'weir.node': node.options.node,
        'weir.kind': 'task',
        'weir.id': order.ref.task,
        'weir.attempt': '1',
        'weir.generation': '7',
        'weir.spec': expect.stringMatching(/^[0-9a-f]{64}$/),
        'weir.owner': 'ada',
        'weir.mac': expect.stringMatching(/^[\w-]{43}$/),
      },
    });
    await backend.remove(order.ref, signal);
  });

  it('has no more capabilities inside than the list, and can gain none', async () => {
    const { output } = await outcome(task('grep -E "^(Cap(Prm|Eff|Bnd)|NoNewPrivs|Seccomp):" /proc/self/status'));
    // CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, FSETID 4, KILL 5, SETGID 6, SETUID 7, SETPCAP 8, NET_BIND_SERVICE 10,
    // SYS_CHROOT 18, SETFCAP 31
    const list = [0, 1, 3, 4, 5, 6, 7, 8, 10, 18, 31].reduce((mask, bit) => mask + 2 ** bit, 0);
    const mask = list.toString(16).padStart(16, '0');
    expect(
      output
        .trim()
        .split(/\n/)
        .map((line) => line.split(/:\s+/)),
    ).toEqual([
      ['CapPrm', mask],
      ['CapEff', mask],
      ['CapBnd', mask],
      ['NoNewPrivs', '1'],
      ['Seccomp', '2'],
    ]);
  });

  it.each([
    ['write a setting of the kernel', 'echo 1 > /proc/sys/kernel/panic'],
    ['make a device', 'mknod /tmp/disk b 8 0'],
    ['open a raw socket', 'ping -c 1 -w 1 127.0.0.1'],
    ['mount', 'mount -t tmpfs none /tmp'],
    [
      'write into its control groups',
      'find /sys/fs/cgroup -name cgroup.procs | while read f; do (echo 0 > $f) && echo yes; done | grep -q yes',
    ],
    ['read the memory of the kernel', 'head -c 1 /proc/kcore | grep -q .'],
    ['dump core', 'ulimit -H -c unlimited'],
  ])('cannot %s', async (_what, script) => {
    const { output, end } = await outcome(task(`(${script}) && echo it could`));
    expect(output).not.toContain('it could');
    expect(end).not.toMatchObject({ exitCode: 0 });
  });

  it('sees itself at the root of its control groups, with its own processes alone', async () => {
    const { output } = await outcome(task('cat /proc/self/cgroup; ls -d /proc/[0-9]* | wc -l'));
    expect(output).not.toContain('weir');
    expect(Number(output.trim().split('\n').at(-1))).toBeLessThan(6);
  });

  it('cannot make more processes than its limit', async () => {
    const { output } = await outcome(task('cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null'));
    expect(output.trim()).toBe('4096');
  });
});

describe('what a task asks for', () => {
  it('reaches the process: environment, folder, user, argv as given', async () => {
    const argv = ['/bin/sh', '-c', 'echo "$A|$(pwd)|$(id -u):$(id -g)|$1|$(hostname)"', 'sh', 'x && y'];
    const order = startOrder(node.nextCounter(), {
      image: demoImage,
      name: 'My_task.1',
      argv,
      env: { A: 'b c' },
      workdir: '/var',
      user: 'nobody:nogroup',
    });
    const { output } = await outcome(order);
    expect(output).toBe('b c|/var|65534:65534|x && y|My-task-1\n');
  });

  it('may be no limit of memory and no share of the processor', async () => {
    const order = task('sleep 86400', { memoryBytes: 0, cpuMilli: 0 });
    await backend.start(order, signal);
    const { HostConfig: host } = await inspect(order);
    expect(host).toMatchObject({ Memory: 0, NanoCpus: 0, CpuShares: 64, ShmSize: 1024 ** 3 });
    await backend.remove(order.ref, signal);
  });

  it('uses the command of the image when it names none', async () => {
    const { end } = await outcome(startOrder(node.nextCounter(), { image: demoImage, argv: null }));
    expect(end).toMatchObject({ exitCode: 0, startFailure: null });
  });
});
