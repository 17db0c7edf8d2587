import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, readdir, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runTool } from '../../../../src/lib/node/run-tool.ts';
import { createBindMounts } from '../../../../src/runner/backend/docker/bind-mounts.ts';
import { openBeneath, openFolder, PathFault } from '../../../../src/runner/backend/docker/open-beneath.ts';
import type { StartOrder } from '../../../../src/runner/backend/backend.ts';
import type { RunnerPolicy } from '../../../../src/runner/policy.ts';
import { demoImage, docker, engineSocket, shell } from '../../../support/docker.ts';
import { createSocketProxy } from '../../../support/socket-proxy.ts';
import { startSwapper } from '../../../support/swapper.ts';
import { startOrder } from '../../../support/workload-orders.ts';
import { createNodeWithFolders, inspect, outcome, type NodeWithFolders } from './node-with-folders.ts';

const { signal } = new AbortController();
const run = promisify(execFile);
let room: NodeWithFolders;
beforeEach(async () => {
  room = await createNodeWithFolders();
});
afterEach(() => room[Symbol.asyncDispose]());

function order(script: string, spec: Partial<StartOrder['spec']> = {}): StartOrder {
  return startOrder(room.node.nextCounter(), { image: demoImage, argv: shell(`exec 2>&1; ${script}`), ...spec });
}

const asks = (subPath?: string, readOnly = false): Partial<StartOrder['spec']> => ({
  mounts: [{ name: 'data', path: '/in', readOnly, ...(subPath === undefined ? {} : { subPath }) }],
});
const withData = (): Partial<RunnerPolicy> => ({ mounts: [room.mount('data')] });

/** What is mounted beneath the Runner's own folder. */
async function mounted(): Promise<string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  return table.split('\n').flatMap((line) => (line.includes(room.privateDir) ? (line.split(' ')[4] ?? '') : []));
}

describe('a mount by name', () => {
  it('shows its sub-path, and goes with the task, the data left where it is', async () => {
    await mkdir(join(room.srv, 'data/a/b'), { recursive: true });
    await writeFile(join(room.srv, 'data/a/b/hello'), 'deep');
    await using backend = room.open(withData());
    const given = order('cat /in/hello; echo new > /in/made', asks('a/b'));
    expect((await outcome(backend, given)).output).toBe('deep');
    expect(await mounted()).toHaveLength(1);
    await backend.remove(given.ref, signal);
    expect(await mounted()).toEqual([]);
    expect(await readdir(join(room.privateDir, 'mounts'))).toEqual([]);
    expect((await readdir(join(room.srv, 'data/a/b'))).toSorted()).toEqual(['hello', 'made']);
  });

  it('lets no setuid file and no device have an effect', async () => {
    // A program that keeps the user that it is given; busybox goes back to the real one by itself.
    const into = [
      '--rm',
      '--init',
      '--network=none',
      '-v',
      `${join(room.srv, 'data')}:/in`,
      demoImage,
      ...shell('cp /sbin/docker-init /in/init && chmod 4755 /in/init'),
    ];
    await docker('run', ...into);
    await run('mknod', [join(room.srv, 'data/zero'), 'c', '1', '5']);
    await chmod(join(room.srv, 'data/zero'), 0o666);
    await using backend = room.open(withData());
    const effectiveUser =
      "/in/init -s -- /bin/sleep 60 & until grep -q init /proc/$!/comm; do :; done; awk '/^Uid/ { print $3 }' /proc/$!/status; kill $!";
    const script = `ls -l /in/init | cut -c1-4; ${effectiveUser}; head -c 1 /in/zero || echo no device`;
    const { output } = await outcome(backend, order(script, { ...asks(), user: 'nobody' }));
    expect(output).toMatch(/^-rws\n65534\nhead: .*Permission denied\nno device\n$/);
    // The mount alone sees to it, without what else keeps a task down.
    const [at = ''] = await mounted();
    const plainly = (path: string): Promise<string> =>
      docker('run', '--rm', '--network=none', '--user=65534', '-v', `${path}:/in`, demoImage, ...shell(effectiveUser));
    expect([await plainly(join(room.srv, 'data')), await plainly(at)]).toEqual(['0', '65534']);
  });

  it.each([
    ['a link', async () => symlink('/etc', join(room.srv, 'data/x')), '"x" in "x" is a link, which is not followed'],
    ['a link on its way', async () => symlink('/', join(room.srv, 'data/x')), '"x" in "x/etc" is a link', 'x/etc'],
    ['a file', async () => writeFile(join(room.srv, 'data/x'), ''), '"x" in "x" is not a folder'],
    ['nothing', async () => undefined, '"x" in "x" is not there'],
  ])('is refused for a sub-path that is %s', async (_what, make, sentence, subPath = 'x') => {
    await make();
    await using backend = room.open(withData());
    const given = order('ls /in', asks(subPath));
    await expect(backend.start(given, signal)).rejects.toMatchObject({
      code: 'start_failed',
      message: expect.stringContaining(`mount "data": ${sentence}`),
    });
    await backend.remove(given.ref, signal);
    expect(await mounted()).toEqual([]);
  });

  it.each([
    ["the Runner's data", () => join(room.privateDir, '..')],
    ['what holds it', () => room.node.folder],
    ['a folder of the system', () => '/etc'],
    ['what holds the Engine', () => '/var/lib'],
  ])('is refused for %s, and is not offered', async (_what, path) => {
    await using backend = room.open({ mounts: [room.mount('data', { path: path() }), room.mount('shared')] });
    await expect(backend.start(order('true', asks()), signal)).rejects.toThrow('which no workload gets');
    expect((await backend.offers(signal)).filter((one) => one.startsWith('mount:'))).toEqual([
      'mount:shared',
      'mount:shared:rw',
    ]);
  });

  it('never shows another folder while somebody swaps it for a link, in hundreds of mounts', async () => {
    const outside = join(room.srv, 'shared');
    await mkdir(join(room.srv, 'data/a/b'), { recursive: true });
    await mkdir(join(outside, 'b'));
    await writeFile(join(outside, 'b/secret'), '');
    const binds = createBindMounts({ folder: join(room.privateDir, 'mounts'), socketPath: '/none', run: runTool });
    const swapper = await startSwapper(join(room.srv, 'data/a'), outside);
    const seen = { tries: 0, secret: 0 };
    while (seen.tries < 200) {
      const opened = openFolder(join(room.srv, 'data')).then((root) => openBeneath(root, 'a/b'));
      const handle = await opened.catch((error: unknown) => {
        if (error instanceof PathFault) return null;
        throw error;
      });
      if (handle === null) continue;
      const [path = ''] = await binds.make('race', [{ handle, readOnly: false }], signal);
      await handle.close();
      seen.tries += 1;
      if ((await readdir(path)).length > 0) seen.secret += 1;
    }
    await swapper.stop();
    await binds.drop('race', signal);
    expect(seen.secret).toBe(0);
  });
});

describe('what every workload gets', () => {
  it('is the shared folder, where it begins, and a scratch folder that is gone afterwards', async () => {
    const policy = { sharedDir: join(room.srv, 'shared'), scratchDir: join(room.srv, 'scratch') };
    await using backend = room.open(policy);
    const script =
      'pwd; echo "$WEIR_SHARED_DIR $WEIR_SCRATCH_DIR"; echo kept > "$WEIR_SHARED_DIR/kept"; cd "$WEIR_SCRATCH_DIR" && mkdir -p a/b && echo x > a/b/c && ls';
    const given = order(script, { user: 'nobody' });
    expect((await outcome(backend, given)).output).toBe('/shared\n/shared /scratch\na\n');
    expect(await scratches()).toEqual([`${given.ref.task}-1`]);
    await backend.remove(given.ref, signal);
    expect(await scratches()).toEqual([]);
    expect(await readFile(join(room.srv, 'shared/kept'), 'utf8')).toBe('kept\n');
    expect(await mounted()).toEqual([]);
  });

  it('is empty variables where the node has neither, and its own folder', async () => {
    await using backend = room.open();
    expect((await outcome(backend, order('pwd; echo "[$WEIR_SHARED_DIR|${WEIR_SCRATCH_DIR-unset}]"'))).output).toBe(
      '/\n[|]\n',
    );
  });

  it('is the mounts that are for everyone', async () => {
    const mounts = [room.mount('data', { everyWorkload: true, readOnly: true, target: '/opt/data' })];
    await using backend = room.open({ mounts });
    const { output } = await outcome(backend, order('grep -c " /opt/data ro,nosuid,nodev" /proc/self/mountinfo'));
    expect(output).toBe('1\n');
  });

  it('keeps the scratch folders of two attempts apart, and closed to others on the node', async () => {
    await using backend = room.open({ scratchDir: join(room.srv, 'scratch') });
    const first = order('echo mine > /scratch/x; ls /scratch');
    const second = { ...order('ls /scratch; echo "$?"'), ref: { ...first.ref, attempt: 2 } };
    expect((await outcome(backend, first)).output).toBe('x\n');
    expect((await outcome(backend, second)).output).toBe('0\n');
    const [owner = ''] = await readdir(join(room.srv, 'scratch'));
    expect((await stat(join(room.srv, 'scratch', owner))).mode & 0o077).toBe(0);
  });

  it('is refused when somebody else made the place of the scratch folders', async () => {
    const place = join(room.srv, 'scratch', `weir-test-${room.node.options.node}`);
    await mkdir(place);
    await chmod(place, 0o777);
    await using backend = room.open({ scratchDir: join(room.srv, 'scratch') });
    await expect(backend.start(order('true'), signal)).rejects.toThrow("is somebody else's, or open to others");
  });

  it('is taken away however deep the folders are that a task made', async () => {
    await using backend = room.open({ scratchDir: join(room.srv, 'scratch') });
    // Longer than any path may be: made from within.
    const name = 'd'.repeat(200);
    const script = `cd /scratch; mkdir ${name}; ln -s /etc ${name}/link; i=0; while [ $i -lt 40 ]; do mkdir x && mv ${name} x/ && mv x ${name}; i=$((i+1)); done; echo $i`;
    const given = order(script);
    expect((await outcome(backend, given)).output).toBe('40\n');
    await backend.remove(given.ref, signal);
    expect(await scratches()).toEqual([]);
  });

  async function scratches(): Promise<string[]> {
    const [owner = ''] = await readdir(join(room.srv, 'scratch'));
    return readdir(join(room.srv, 'scratch', owner));
  }
});

describe('after a Runner that was killed', () => {
  it('what it left of workloads that are gone is taken away at the first look, the rest stays', async () => {
    const policy = { ...withData(), scratchDir: join(room.srv, 'scratch') };
    await using before = room.open(policy);
    const [gone, stays] = [order('sleep 86400', asks()), order('sleep 86400', asks())];
    await before.start(gone, signal);
    await before.start(stays, signal);
    await docker('rm', '-f', `weir-${gone.ref.task}-1`);
    expect(await mounted()).toHaveLength(4);
    await using backend = room.open(policy);
    expect(await backend.list(signal)).toMatchObject([{ ref: stays.ref }]);
    expect(await mounted()).toHaveLength(2);
    expect((await mounted()).every((path) => path.includes(stays.ref.task))).toBe(true);
    await backend.remove(stays.ref, signal);
  });

  it('between create and start, its folders are put in place anew', async () => {
    await writeFile(join(room.srv, 'data/hello'), 'there');
    const given = order('cat /in/hello', asks());
    await using proxy = await createSocketProxy(join(room.node.folder, 'cut.sock'), engineSocket);
    await using dying = room.open(withData(), { socketPath: proxy.path });
    proxy.downAt(/^POST \/containers\/[^/]+\/start/);
    await expect(dying.start(given, signal)).rejects.toMatchObject({ code: 'engine_down' });
    // As after a reboot: the container is there and what was mounted is not.
    for (const path of await mounted()) await run('umount', [path]);
    await using backend = room.open(withData());
    expect((await outcome(backend, given)).output).toBe('there');
  });
});

it('a folder that is moved away while the task runs stays what it was', async () => {
  await using backend = room.open(withData());
  const given = order('sleep 86400', asks());
  await backend.start(given, signal);
  await writeFile(join(room.srv, 'data/hello'), 'first');
  await rename(join(room.srv, 'data'), join(room.srv, 'old'));
  await symlink('/etc', join(room.srv, 'data'));
  expect(await docker('exec', `weir-${given.ref.task}-1`, 'ls', '/in')).toBe('hello');
  expect(await inspect(given)).toMatchObject({
    Mounts: [{ Type: 'bind', Destination: '/in', Propagation: 'rprivate' }],
  });
  await backend.remove(given.ref, signal);
});
