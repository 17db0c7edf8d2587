import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exited } from '../support/runner-wire.ts';
import { type Desk, openDesk, type View } from './desk.ts';

let desk: Desk;

beforeAll(async () => {
  desk = await openDesk();
});

afterAll(() => desk[Symbol.asyncDispose]());

describe('submitting', () => {
  it('takes every field of a spec as an option, as the Host understands it', async () => {
    const { out, err } = await desk.weirWith(
      'typed\n',
      [
        ['task', 'submit', '--hold', '-o', 'json', '--image', 'weir/demo:1', '--stdin', '-'],
        ['--cpus', '0.5', '--cpu-limit', 'burst', '--memory', '64MiB', '--gpu-model', '*A100*'],
        ['--gpu-memory', '8GiB', '--numa', '1', '--shm', '64MiB', '--pids', '100'],
        ['--ulimit', 'nofile=1024:2048', '--ulimit', 'core=unlimited', '--disk', '1GiB'],
        ['--where', 'pool in (day,night), !slow', '--mount', 'data:/data:ro,sub=a/b'],
        ['--cap-add', 'cap_sys_ptrace', '--device', '/dev/fuse', '--network', 'none'],
        ['--retries', '2', '--retry-on', 'exit,oom', '--retry-backoff', '5s'],
        ['--on-node-loss', 'requeue', '--lease', '10m', '--log-cap', '1MiB'],
        ['--not-before', '2040-01-01T02:00:00+02:00', '--', 'cat'],
      ].flat(),
    );
    expect(err).toBe('');
    const { spec, state } = JSON.parse(out) as View;
    expect(state).toBe('held');
    expect(spec).toMatchObject({
      stdin: 'typed\n',
      command: ['cat'],
      resources: {
        cpus: 0.5,
        cpuLimit: 'burst',
        memory: 64 * 1024 ** 2,
        gpus: { count: 1, model: '*A100*', minMemory: 8 * 1024 ** 3 },
        numaNode: 1,
        shmSize: 64 * 1024 ** 2,
        pidsLimit: 100,
        ulimits: { nofile: { soft: 1024, hard: 2048 }, core: { soft: -1, hard: -1 } },
        diskLimit: 1024 ** 3,
      },
      placement: { expression: 'pool in (day,night), !slow' },
      mounts: [{ name: 'data', path: '/data', readOnly: true, subPath: 'a/b' }],
      capabilities: ['SYS_PTRACE'],
      devices: ['/dev/fuse'],
      network: 'none',
      retry: { limit: 2, on: ['exit', 'oom'], backoff: 5000 },
      onNodeLoss: 'requeue',
      nodeLossLease: 600_000,
      logCap: 1024 ** 2,
      notBefore: '2040-01-01T00:00:00.000Z',
      hold: true,
    });
  });

  it('makes one task of each target, all or none', async () => {
    const argv = ['task', 'submit', '--hold', '--image', 'i', '--target', 'gpu-1::0'];
    const { items } = await desk.json<{ items: View[] }>(...argv, '--target', 'gpu-1::1');
    expect(items.map(({ spec }) => (spec['resources'] as Record<string, unknown>)['gpus'])).toEqual([
      { uuids: ['GPU-a'] },
      { uuids: ['GPU-b'] },
    ]);
    const batch = items[0]?.batch ?? '';
    expect(items[1]?.batch).toBe(batch);
    const before = await desk.json<{ items: View[] }>('task', 'list', '--batch', batch);
    expect(before.items).toHaveLength(2);
    const refused = await desk.weir(...argv, '--target', 'gpu-1::7');
    expect(refused.code).toBe(4);
    expect(refused.err).toMatch(/\/1\/placement\/target.*has no GPU 7/);
  });

  it('refuses a task without an image where the operator has set none, naming the field', async () => {
    const { code, err } = await desk.weir('task', 'submit', '--', 'true');
    expect(code).toBe(4);
    expect(err).toMatch(/\/image.*operator has set no default/);
  });

  it('only tells what would come of it with --dry-run', async () => {
    const count = async () => (await desk.json<{ items: View[] }>('task', 'list', '--all')).items.length;
    const before = await count();
    const now = await desk.weir('task', 'submit', '--dry-run', '--image', 'i', '--cpus', '1', '--', 'x');
    expect(now).toMatchObject({ code: 0, err: '' });
    expect(now.out).toMatch(/^would start: +now, on gpu-1$/m);
    const never = await desk.weir('run', '--dry-run', '--image', 'i', '--cpus', '500', '--', 'x');
    expect(never.out).toMatch(/^would start: +later$/m);
    expect(never.out).toMatch(/gpu-1 +no /);
    expect(await count()).toBe(before);
  });
});

describe('what can be done to tasks', () => {
  it('holds and releases, one or by what they have in common, and tells of each', async () => {
    const label = ['--label', 'set=hold'];
    const first = await desk.submit('--hold', ...label, '--', 'true');
    const second = await desk.submit('--hold', ...label, '--', 'true');
    expect(await desk.json<View>('task', 'priority', first, 'urgent')).toMatchObject({
      priority: 'urgent',
    });
    const outcome = await desk.weir('task', 'kill', '-l', 'set=hold', '--state', 'held', '-m', 'done');
    expect(outcome).toMatchObject({ code: 0, err: '' });
    expect(outcome.out).toMatch(new RegExp(`^${first}  killed$`, 'm'));
    expect(outcome.out).toMatch(new RegExp(`^${second}  killed$`, 'm'));
    expect(await desk.json<View>('task', 'retry', first)).toMatchObject({ state: 'queued' });
    await desk.placed(first);
    await desk.runner.report(first, 'ended', { end: exited(0) });
    const none = await desk.weir('task', 'release', '-l', 'set=nothing');
    expect(none).toEqual({ code: 0, out: '', err: 'No task fits\n' });
  });

  it('ends with the code of the first refusal when not all went well', async () => {
    const good = await desk.submit('--hold', '--', 'true');
    const { code, out, err } = await desk.weir('task', 'release', good, 'nobody', good);
    expect(code).toBe(3);
    expect(out).toMatch(new RegExp(`^${good}  queued$`, 'm'));
    expect(err).toMatch(/there is no task "nobody" \(not_found\)\n.*needs it to be held \(state_conflict\)/);
    await desk.weir('task', 'kill', good);
  });

  it('pauses, extends and resumes what runs', async () => {
    const task = await desk.running('--time-limit', '1h', '--', 'sleep');
    expect((await desk.weir('task', 'pause', task)).code).toBe(0);
    await desk.runner.sync();
    expect(desk.runner.desired.get(task)).toMatchObject({ paused: true });
    await desk.runner.report(task, 'paused');
    expect((await desk.weir('task', 'resume', '--state', 'paused')).out).toMatch(task);
    const longer = await desk.json<View>('task', 'extend', task, '--time-limit', '2h');
    expect(longer.spec['timeLimit']).toBe(7_200_000);
    const shorter = await desk.weir('task', 'extend', task, '--time-limit', '1m');
    expect(shorter.code).toBe(4);
    expect(shorter.err).toMatch(/only extended/);
    const free = await desk.json<View>('task', 'extend', task, '--time-limit', 'none');
    expect(free.spec['timeLimit']).toBeNull();
    await desk.runner.report(task, 'ended', { end: exited(0) });
  });

  it('shows the attempts of a task apart', async () => {
    const task = await desk.ended(3, '--name', 'twice', '--', 'false');
    expect((await desk.weir('task', 'retry', 'twice')).code).toBe(0);
    while (desk.runner.desired.get(task)?.attempt !== 2) await desk.runner.sync({ holdMs: 1000 });
    await desk.runner.report(task, 'ended', { end: exited(0) });
    const { out } = await desk.weir('task', 'show', task);
    expect(out).toMatch(/^ATTEMPT +STATE +NODE/m);
    expect(out).toMatch(/^1 +failed +gpu-1 .*exit 3$/m);
    expect(out).toMatch(/^2 +succeeded +gpu-1 .*exit 0$/m);
    expect((await desk.weir('task', 'wait', task)).code).toBe(0);
  });
});

describe('an array', () => {
  it('is one task in the list, its members behind it when asked for', async () => {
    const array = await desk.submit('--array', '0-2', '--hold', '--name', 'grid', '--', 'true');
    const listed = (await desk.weir('task', 'list', '--name', 'grid')).out;
    expect(listed).toMatch(new RegExp(`^${array} +grid +held .* 3 held$`, 'm'));
    expect(listed).not.toContain(`${array}.1`);
    const members = await desk.weir('task', 'list', '--array', array, '-o', 'name');
    expect(members.out.trim().split('\n').toSorted()).toEqual([0, 1, 2].map((at) => `${array}.${at}`));
    const all = await desk.weir('task', 'list', '--name', 'grid', '--members', '-o', 'name');
    expect(all.out.trim().split('\n')).toHaveLength(4);
    const shown = (await desk.weir('task', 'show', `${array}.1`)).out;
    expect(shown).toMatch(new RegExp(`^array: +${array}, index 1$`, 'm'));
    expect((await desk.weir('task', 'show', array)).out).toMatch(/^members: +3 held$/m);
    expect((await desk.weir('task', 'kill', array)).code).toBe(0);
    expect((await desk.json<View>('task', 'show', array)).state).toBe('killed');
  });

  it('is followed by weir run to the ends of all its members', { timeout: 20_000 }, async () => {
    const following = desk.weir('run', '--no-follow', '--image', 'i', '--cpus', '0.1', '--array', '4-5', '--', 'x');
    const found = (): string[] => [...desk.runner.desired.keys()].filter((task) => /\.[45]$/.test(task));
    while (found().length < 2) await desk.runner.sync({ holdMs: 1000 });
    for (const task of found()) await desk.runner.report(task, 'ended', { end: exited(task.endsWith('.5') ? 7 : 0) });
    const { code, err } = await following;
    expect(code).toBe(1);
    expect(err).toMatch(/^weir: \[5\] t\w+\.5 failed: exit 7$/m);
    expect(err).toMatch(/: 1 failed, 1 succeeded$|: 1 succeeded, 1 failed$/m);
  });
});
