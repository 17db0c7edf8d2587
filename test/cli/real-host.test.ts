import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joinRunner, exited, type WireRunner } from '../support/runner-wire.ts';
import { startTestHost, type TestHost } from '../support/host.ts';
import { openTerminal } from './cli-harness.ts';

let host: TestHost;
let runner: WireRunner;

beforeAll(async () => {
  host = await startTestHost();
  runner = await joinRunner(host, { name: 'gpu-1', gpus: ['GPU-a', 'GPU-b'], labels: { pool: 'day' } });
});

afterAll(async () => {
  await host[Symbol.asyncDispose]();
});

interface Ran {
  code: number;
  out: string;
  err: string;
}

async function weirWith(stdin: string, argv: readonly string[]): Promise<Ran> {
  const terminal = await openTerminal({ env: { WEIR_URL: host.url, WEIR_TOKEN: host.token }, stdin });
  const code = await terminal.weir(...argv);
  const ran = { code, out: terminal.stdout.text(), err: terminal.stderr.text() };
  await terminal[Symbol.asyncDispose]();
  return ran;
}

const weir = (...argv: string[]): Promise<Ran> => weirWith('', argv);

async function json<T>(...argv: string[]): Promise<T> {
  const { out, err, code } = await weir(...argv, '-o', 'json');
  if (out === '') throw new Error(`weir ${argv.join(' ')}: ${code} ${err}`);
  return JSON.parse(out) as T;
}

interface View {
  id: string;
  state: string;
  batch: string | null;
  priority: string;
  spec: Record<string, unknown>;
}

async function submit(...argv: string[]): Promise<string> {
  const { out, err } = await weir('task', 'submit', '--image', 'weir/demo:1', '--cpus', '0.1', '--memory', '8MiB', '-o', 'name', ...argv);
  if (out === '') throw new Error(err);
  return out.trim();
}

/** The node is told of the task. */
async function placed(task: string): Promise<void> {
  while (!runner.desired.has(task)) await runner.sync({ holdMs: 1000 });
}

async function running(...argv: string[]): Promise<string> {
  const task = await submit(...argv);
  await placed(task);
  await runner.report(task, 'running');
  return task;
}

async function ended(code: number, ...argv: string[]): Promise<string> {
  const task = await running(...argv);
  await runner.report(task, 'ended', { end: exited(code) });
  return task;
}

describe('submitting', () => {
  it('takes every field of a spec as an option, as the Host understands it', async () => {
    const { out, err } = await weirWith('typed\n', [
      ...['task', 'submit', '--hold', '-o', 'json', '--image', 'weir/demo:1', '--stdin', '-'],
      ...['--cpus', '0.5', '--cpu-limit', 'burst', '--memory', '64MiB', '--gpu-model', '*A100*'],
      ...['--gpu-memory', '8GiB', '--numa', '1', '--shm', '64MiB', '--pids', '100'],
      ...['--ulimit', 'nofile=1024:2048', '--ulimit', 'core=unlimited', '--disk', '1GiB'],
      ...['--where', 'pool in (day,night), !slow', '--mount', 'data:/data:ro,sub=a/b'],
      ...['--cap-add', 'cap_sys_ptrace', '--device', '/dev/fuse', '--network', 'none'],
      ...['--retries', '2', '--retry-on', 'exit,oom', '--retry-backoff', '5s'],
      ...['--on-node-loss', 'requeue', '--lease', '10m', '--log-cap', '1MiB'],
      ...['--not-before', '2040-01-01T02:00:00+02:00', '--', 'cat'],
    ]);
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
    const { items } = await json<{ items: View[] }>(...argv, '--target', 'gpu-1::1');
    expect(items.map(({ spec }) => (spec['resources'] as Record<string, unknown>)['gpus'])).toEqual([
      { uuids: ['GPU-a'] },
      { uuids: ['GPU-b'] },
    ]);
    const batch = items[0]?.batch ?? '';
    expect(items[1]?.batch).toBe(batch);
    const before = await json<{ items: View[] }>('task', 'list', '--batch', batch);
    expect(before.items).toHaveLength(2);
    const refused = await weir(...argv, '--target', 'gpu-1::7');
    expect(refused.code).toBe(4);
    expect(refused.err).toMatch(/\/1\/placement\/target.*has no GPU 7/);
  });

  it('refuses a task without an image where the operator has set none, naming the field', async () => {
    const { code, err } = await weir('task', 'submit', '--', 'true');
    expect(code).toBe(4);
    expect(err).toMatch(/\/image.*operator has set no default/);
  });

  it('only tells what would come of it with --dry-run', async () => {
    const count = async () => (await json<{ items: View[] }>('task', 'list', '--all')).items.length;
    const before = await count();
    const now = await weir('task', 'submit', '--dry-run', '--image', 'i', '--cpus', '1', '--', 'x');
    expect(now).toMatchObject({ code: 0, err: '' });
    expect(now.out).toMatch(/^would start: +now, on gpu-1$/m);
    const never = await weir('run', '--dry-run', '--image', 'i', '--cpus', '500', '--', 'x');
    expect(never.out).toMatch(/^would start: +later$/m);
    expect(never.out).toMatch(/gpu-1 +no /);
    expect(await count()).toBe(before);
  });
});

describe('what can be done to tasks', () => {
  it('holds and releases, one or by what they have in common, and tells of each', async () => {
    const label = ['--label', 'set=hold'];
    const first = await submit('--hold', ...label, '--', 'true');
    const second = await submit('--hold', ...label, '--', 'true');
    expect(await json<View>('task', 'priority', first, 'urgent')).toMatchObject({ priority: 'urgent' });
    const outcome = await weir('task', 'kill', '-l', 'set=hold', '--state', 'held', '-m', 'done');
    expect(outcome).toMatchObject({ code: 0, err: '' });
    expect(outcome.out).toMatch(new RegExp(`^${first}  killed$`, 'm'));
    expect(outcome.out).toMatch(new RegExp(`^${second}  killed$`, 'm'));
    expect(await json<View>('task', 'retry', first)).toMatchObject({ state: 'queued' });
    await placed(first);
    await runner.report(first, 'ended', { end: exited(0) });
    const none = await weir('task', 'release', '-l', 'set=nothing');
    expect(none).toEqual({ code: 0, out: '', err: 'No task fits\n' });
  });

  it('ends with the code of the first refusal when not all went well', async () => {
    const good = await submit('--hold', '--', 'true');
    const { code, out, err } = await weir('task', 'release', good, 'nobody', good);
    expect(code).toBe(3);
    expect(out).toMatch(new RegExp(`^${good}  queued$`, 'm'));
    expect(err).toMatch(/there is no task "nobody" \(not_found\)\n.*needs it to be held \(state_conflict\)/);
    await weir('task', 'kill', good);
  });

  it('pauses, extends and resumes what runs', async () => {
    const task = await running('--time-limit', '1h', '--', 'sleep');
    expect((await weir('task', 'pause', task)).code).toBe(0);
    await runner.sync();
    expect(runner.desired.get(task)).toMatchObject({ paused: true });
    await runner.report(task, 'paused');
    expect((await weir('task', 'resume', '--state', 'paused')).out).toMatch(task);
    const longer = await json<View>('task', 'extend', task, '--time-limit', '2h');
    expect(longer.spec['timeLimit']).toBe(7_200_000);
    const shorter = await weir('task', 'extend', task, '--time-limit', '1m');
    expect(shorter.code).toBe(4);
    expect(shorter.err).toMatch(/only extended/);
    const free = await json<View>('task', 'extend', task, '--time-limit', 'none');
    expect(free.spec['timeLimit']).toBeNull();
    await runner.report(task, 'ended', { end: exited(0) });
  });

  it('shows the attempts of a task apart', async () => {
    const task = await ended(3, '--name', 'twice', '--', 'false');
    expect((await weir('task', 'retry', 'twice')).code).toBe(0);
    while (runner.desired.get(task)?.attempt !== 2) await runner.sync({ holdMs: 1000 });
    await runner.report(task, 'ended', { end: exited(0) });
    const { out } = await weir('task', 'show', task);
    expect(out).toMatch(/^ATTEMPT +STATE +NODE/m);
    expect(out).toMatch(/^1 +failed +gpu-1 .*exit 3$/m);
    expect(out).toMatch(/^2 +succeeded +gpu-1 .*exit 0$/m);
    expect((await weir('task', 'wait', task)).code).toBe(0);
  });
});

describe('an array', () => {
  it('is one task in the list, its members behind it when asked for', async () => {
    const array = await submit('--array', '0-2', '--hold', '--name', 'grid', '--', 'true');
    const listed = (await weir('task', 'list', '--name', 'grid')).out;
    expect(listed).toMatch(new RegExp(`^${array} +grid +held .* 3 held$`, 'm'));
    expect(listed).not.toContain(`${array}.1`);
    const members = await weir('task', 'list', '--array', array, '-o', 'name');
    expect(members.out.trim().split('\n').toSorted()).toEqual([0, 1, 2].map((at) => `${array}.${at}`));
    const all = await weir('task', 'list', '--name', 'grid', '--members', '-o', 'name');
    expect(all.out.trim().split('\n')).toHaveLength(4);
    const shown = (await weir('task', 'show', `${array}.1`)).out;
    expect(shown).toMatch(new RegExp(`^array: +${array}, index 1$`, 'm'));
    expect((await weir('task', 'show', array)).out).toMatch(/^members: +3 held$/m);
    expect((await weir('task', 'kill', array)).code).toBe(0);
    expect((await json<View>('task', 'show', array)).state).toBe('killed');
  });

  it('is followed by weir run to the ends of all its members', { timeout: 20_000 }, async () => {
    const following = weir('run', '--no-follow', '--image', 'i', '--cpus', '0.1', '--array', '4-5', '--', 'x');
    const found = async (): Promise<string[]> =>
      [...runner.desired.keys()].filter((task) => /\.[45]$/.test(task));
    while ((await found()).length < 2) await runner.sync({ holdMs: 1000 });
    for (const task of await found())
      await runner.report(task, 'ended', { end: exited(task.endsWith('.5') ? 7 : 0) });
    const { code, err } = await following;
    expect(code).toBe(1);
    expect(err).toMatch(/^weir: \[5\] t\w+\.5 failed: exit 7$/m);
    expect(err).toMatch(/: 1 failed, 1 succeeded$|: 1 succeeded, 1 failed$/m);
  });
});

describe('looking', () => {
  it('knows whose the tasks are', async () => {
    const task = await submit('--hold', '--name', 'mine', '--', 'true');
    const { items } = await json<{ items: View[] }>('task', 'list', '--owner', 'me', '--name', 'mine');
    expect(items.map(({ id }) => id)).toEqual([task]);
    const wide = (await weir('task', 'list', '--name', 'mine', '-o', 'wide')).out;
    expect(wide).toMatch(/OWNER +PRIORITY .*ASKS FOR/);
    expect(wide).toMatch(/admin +normal +0 +0\.1 cores, 8 MiB/);
    await weir('task', 'kill', task);
  });

  it('explains, waits and lists what it can of a task', async () => {
    const task = await submit('--cpus', '500', '--name', 'huge', '--', 'true');
    await expect.poll(async () => (await json<View & { reason: unknown }>('task', 'show', task)).reason).toMatchObject({ code: 'impossible' });
    expect((await weir('task', 'explain', 'huge')).out).toMatch(/gpu-1 +no/);
    expect((await weir('task', 'wait', '--timeout', '10ms', task)).code).toBe(124);
    const { out } = await weir('status');
    expect(out).toMatch(/^NODE +STATE +CPUS/m);
    expect(out).toMatch(/^gpu-1 +ready +\[.*\] .*\/8 /m);
    expect(out).toMatch(/^normal +\d+ .*1 impossible/m);
    expect(out).toMatch(new RegExp(`^${task} huge +impossible: `, 'm'));
    await weir('task', 'kill', task);
  });

  it('tells on a watch each change in a block of its own, until Ctrl-C', async () => {
    const task = await submit('--hold', '--name', 'watched', '--', 'true');
    const terminal = await openTerminal({ env: { WEIR_URL: host.url, WEIR_TOKEN: host.token } });
    const watching = terminal.weir('task', 'show', task, '--watch', '-o', 'json');
    await terminal.stdout.shows(/"state":"held"/);
    await weir('task', 'kill', task);
    await terminal.stdout.shows(/"state":"killed"/);
    terminal.pressCtrlC();
    expect(await watching).toBe(0);
    const states = terminal.stdout.text().trim().split('\n').map((line) => (JSON.parse(line) as View).state);
    expect(states).toEqual(['held', 'killed']);
    await terminal[Symbol.asyncDispose]();
  });

  it('refuses what is not there', async () => {
    expect((await weir('task', 'show', 't99999')).code).toBe(3);
    expect((await weir('task', 'logs', 'nobody')).code).toBe(3);
    expect((await weir('node', 'show', 'nobody')).code).toBe(3);
    expect((await weir('task', 'list', '--node', 'nobody')).code).toBe(4);
    expect((await weir('task', 'list', '--batch', 'x')).code).toBe(4);
  });
});

describe('nodes', () => {
  it('are cordoned, drained and given labels, and taken back', async () => {
    expect((await weir('node', 'cordon', 'gpu-1', '--reason', 'a driver')).out).toMatch(/ready, cordoned/);
    expect((await weir('node', 'show', 'gpu-1')).out).toMatch(/^cordoned: +a driver \(by admin/m);
    expect((await weir('node', 'uncordon', 'gpu-1')).out).not.toMatch(/cordoned/);
    expect((await weir('node', 'drain', 'gpu-1', '--reason', 'disk')).out).toMatch(/draining/);
    expect((await weir('node', 'undrain', 'gpu-1')).code).toBe(0);
    const labelled = await json<{ labels: unknown }>('node', 'label', 'gpu-1', 'rack=4', 'pool-');
    expect(labelled.labels).toEqual({ rack: '4' });
    expect((await weir('node', 'list', '-o', 'wide')).out).toMatch(/rack=4/);
    expect((await weir('node', 'cordon', 'nobody')).code).toBe(3);
  });

  it('join with a token, and are removed', async () => {
    expect((await weir('node', 'join-token', '--expires', '10m')).out).toMatch(/^\S+\n$/);
    const other = await joinRunner(host, { name: 'leaves' });
    expect((await weir('node', 'remove', other.name)).out).toBe('leaves\n');
    expect((await weir('node', 'show', 'leaves')).code).toBe(3);
  });
});

describe('the Tab key', () => {
  it('offers ids and names of tasks that the command can do something to, and nodes', async () => {
    const task = await submit('--hold', '--name', 'tabbed', '--', 'true');
    const release = (await weir('complete', '--', 'task', 'release', 'tab')).out;
    expect(release).toBe(`tabbed\t${task} held\n`);
    expect((await weir('complete', '--', 'task', 'pause', 'tab')).out).toBe('');
    expect((await weir('complete', '--', 'node', 'show', 'gpu')).out).toMatch(/^gpu-1\tn\w+ ready\n$/);
    expect((await weir('complete', '--', 'run', '--node=gpu')).out).toMatch(/^--node=gpu-1\t/);
    await weir('task', 'kill', task);
  });
});

describe('the rest', () => {
  it('tells versions and who speaks', async () => {
    expect((await json<Record<string, unknown>>('version', '--host'))['host']).toBe('0.0.0-test');
    expect((await weir('login', '--url', host.url)).code).toBe(2);
  });
});
