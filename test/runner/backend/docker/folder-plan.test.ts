import { describe, expect, it } from 'vitest';
import { planFolders, rootFault } from '../../../../src/runner/backend/docker/folder-plan.ts';
import { defaultPolicy, type NodeMount } from '../../../../src/runner/policy.ts';

const mount = (name: string, more: Partial<NodeMount> = {}): NodeMount => ({
  name,
  path: `/srv/${name}`,
  readOnly: false,
  everyWorkload: false,
  target: `/mnt/${name}`,
  ...more,
});
const asks = (name: string, path: string, readOnly = false) => ({ mounts: [{ name, path, readOnly }] });

describe('the folders of a workload', () => {
  it('are none where the node has none', () => {
    expect(planFolders({}, defaultPolicy)).toEqual([]);
  });

  it('are those for every one, the shared one, its scratch and what it asks for', () => {
    const policy = {
      mounts: [mount('data'), mount('tools', { everyWorkload: true, readOnly: true })],
      sharedDir: '/srv/shared',
      scratchDir: '/fast',
    };
    const spec = { mounts: [{ name: 'data', path: '/in', subPath: 'a/b', readOnly: true }] };
    expect(planFolders(spec, policy)).toEqual([
      {
        what: 'mount "tools"',
        kind: 'as-it-is',
        root: '/srv/tools',
        subPath: null,
        target: '/mnt/tools',
        readOnly: true,
      },
      {
        what: 'shared folder',
        kind: 'as-it-is',
        root: '/srv/shared',
        subPath: null,
        target: '/shared',
        readOnly: false,
      },
      { what: 'scratch folder', kind: 'own', root: '/fast', subPath: null, target: '/scratch', readOnly: false },
      { what: 'mount "data"', kind: 'as-it-is', root: '/srv/data', subPath: 'a/b', target: '/in', readOnly: true },
    ]);
  });

  it('take what was asked for where every one gets it', () => {
    const policy = { ...defaultPolicy, mounts: [mount('data', { everyWorkload: true })] };
    const plan = planFolders(asks('data', '/mnt/data', true), policy);
    expect(plan).toMatchObject([{ target: '/mnt/data', readOnly: true }]);
  });

  it.each([
    [
      'a name that the node does not have',
      asks('nothing', '/x'),
      'there is no mount "nothing" on this node (it has data, old)',
    ],
    ['writing into what is read-only', asks('old', '/x'), 'the mount "old" of this node is read-only'],
    [
      'the place of the shared folder',
      asks('data', '/shared'),
      'mount "data" cannot be at /shared: the shared folder of this node is there',
    ],
  ])('refuse %s', (_what, spec, sentence) => {
    const policy = {
      mounts: [mount('data'), mount('old', { readOnly: true })],
      sharedDir: '/srv/shared',
      scratchDir: null,
    };
    expect(() => planFolders(spec, policy)).toThrow(sentence);
  });
});

describe('a folder of the node', () => {
  const ours = ['/var/lib/weir', '/opt/engine/docker.sock', '/data/docker'];

  it.each([
    '/',
    '/etc',
    '/etc/ssh',
    '/proc/1',
    '/sys',
    '/dev/shm',
    '/run/x',
    '/var',
    '/var/lib',
    '/var/lib/docker/volumes',
    '/var/lib/weir',
    '/var/lib/weir/host',
    '/opt',
    '/opt/engine',
    '/opt/engine/docker.sock',
    '/data',
    '/data/docker/x',
  ])('that is %s is given to nobody', (path) => {
    expect(rootFault(path, ours)).toContain('which no workload gets');
  });

  it.each(['/srv', '/var/lib/weirdo', '/home/ada', '/etcetera', '/data2'])('that is %s may be given', (path) => {
    expect(rootFault(path, ours)).toBeNull();
  });
});
