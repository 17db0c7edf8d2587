import * as v from 'valibot';
import { labels, name, strict } from '../protocol/schema.ts';
import { group, setting } from './setting.ts';
import {
  bytesFrom,
  dialAddress,
  durationBetween,
  folderForWorkloads,
  hostUrl,
  imagePrefix,
  list,
  listenAddress,
  path,
  registry,
  subnet,
  yesOrNo,
} from './values.ts';

const usedBy = ['up', 'runner'] as const;
const alone = ['runner'] as const;
const years = { ms: 3650 * 86_400_000, text: '3650d' };

const mount = v.pipe(
  strict({
    name,
    path: folderForWorkloads,
    readOnly: v.optional(yesOrNo, false),
    everyWorkload: v.optional(yesOrNo, false),
    target: v.optional(path),
  }),
  v.transform((one) => ({ ...one, target: one.target ?? `/mnt/${one.name}` })),
);

const mounts = v.pipe(
  list(mount, 100),
  v.check((all) => new Set(all.map((one) => one.name)).size === all.length, 'each name must be there once'),
);

const device = v.pipe(path, v.startsWith('/dev/', 'must be a device such as "/dev/fuse"'));

const capability = v.pipe(
  v.string('must be text'),
  v.transform((text) => text.toUpperCase().replace(/^CAP_/, '')),
  v.regex(/^[A-Z][A-Z_]{1,40}$/, 'must be the name of a capability such as "SYS_PTRACE"'),
);

const allow = group(
  'What workloads on this node may ask for. This file has the last word: the Host can only narrow it.',
  {
    privileged: setting({
      schema: yesOrNo,
      initial: false,
      form: 'switch',
      about: 'privileged containers, which are root on this machine; still for admins only',
      usedBy,
    }),
    hostNetwork: setting({
      schema: yesOrNo,
      initial: false,
      form: 'switch',
      about: "the machine's own network instead of an isolated one",
      usedBy,
    }),
    devices: setting({
      schema: list(device, 100),
      initial: [],
      example: ['/dev/fuse'],
      form: 'list',
      about: 'devices that may be added to a workload',
      usedBy,
    }),
    capabilities: setting({
      schema: list(capability, 50),
      initial: [],
      example: ['SYS_PTRACE'],
      form: 'list',
      about: 'capabilities that may be added to a workload',
      usedBy,
    }),
    unisolated: setting({
      schema: yesOrNo,
      initial: false,
      form: 'switch',
      about: 'run workloads also while they cannot be kept apart from the node and from each other',
      usedBy,
    }),
  },
);

const logs = group('What workloads print.', {
  capBytes: setting({
    schema: bytesFrom({ bytes: 65_536, text: '64 KiB' }),
    initial: '256MiB',
    form: 'text',
    about: "most of one attempt's output that is kept (a size); the end of what exceeds it is lost",
    usedBy,
  }),
  keepFor: setting({
    schema: durationBetween(60_000, years),
    initial: '7d',
    form: 'text',
    about: 'how long output is kept after its end (a duration)',
    usedBy,
  }),
  keepBytes: setting({
    schema: bytesFrom({ bytes: 1_048_576, text: '1 MiB' }),
    initial: '20GiB',
    form: 'text',
    about: 'most output that is kept altogether (a size); the oldest goes first',
    usedBy,
  }),
});

const docker = group('The container engine.', {
  socket: setting({
    schema: path,
    initial: '/var/run/docker.sock',
    form: 'text',
    about: "the Engine's unix socket; `DOCKER_HOST`, when it names one, comes before the default",
    usedBy,
    foreign: {
      variable: 'DOCKER_HOST',
      read: (text) => (text.startsWith('unix://') ? text.slice('unix://'.length) : null),
    },
  }),
});

export const runnerSettings = group('The Runner of this machine.', {
  host: setting({
    schema: v.nullable(hostUrl),
    initial: null,
    example: 'https://weir.example:8000',
    form: 'text',
    about: 'address of the Host; needed to join, and later where the Host has moved',
    flags: { runner: '--host' },
    usedBy: alone,
    quiet: true,
  }),
  joinFile: setting({
    schema: v.nullable(path),
    initial: null,
    example: '/etc/weir/join.token',
    form: 'text',
    about: 'file with the join token, read at the first start only',
    flags: { runner: '--join-file' },
    usedBy: alone,
  }),
  name: setting({
    schema: v.nullable(name),
    initial: null,
    example: 'gpu-3',
    form: 'text',
    about: "name of the node, given when it joins; the machine's own unless said",
    flags: { runner: '--name' },
    usedBy,
  }),
  labels: setting({
    schema: labels,
    initial: {},
    example: { rack: '4' },
    form: 'pairs',
    about: 'labels of the node, given when it joins',
    flags: { runner: '--label' },
    usedBy,
  }),
  listen: setting({
    schema: listenAddress,
    initial: '127.0.0.1:8001',
    initialOf: { up: '127.0.0.1:0' },
    form: 'text',
    about: 'where the Runner listens, ADDRESS:PORT; port 0 picks a free one. Beyond loopback it speaks TLS',
    flags: { runner: '--listen' },
    usedBy,
  }),
  advertise: setting({
    schema: v.nullable(dialAddress),
    initial: null,
    example: '10.0.0.7:8001',
    form: 'text',
    about: 'where the Host reaches the Runner, ADDRESS:PORT, when that is not where it listens',
    flags: { runner: '--advertise' },
    usedBy,
  }),
  subnet: setting({
    schema: v.nullable(subnet),
    initial: null,
    example: '10.88.0.0/16',
    form: 'text',
    about: 'network of the containers on this node; the Engine picks one unless said',
    usedBy,
  }),
  registries: setting({
    schema: list(registry, 100),
    initial: ['docker.io', 'ghcr.io', 'quay.io', 'nvcr.io'],
    form: 'list',
    about: 'registries that images may come from; an empty list: none',
    usedBy,
  }),
  registryCredentials: setting({
    schema: v.nullable(path),
    initial: null,
    example: '/etc/weir/registries.json',
    form: 'text',
    about: 'file with credentials for registries, 0600, as `docker login` writes it (`auths`); read at every pull',
    usedBy,
  }),
  localImagePrefixes: setting({
    schema: list(imagePrefix, 100),
    initial: ['weir/'],
    form: 'list',
    about: 'beginnings of the names of images on this machine that need no registry',
    usedBy,
  }),
  sharedDir: setting({
    schema: v.nullable(folderForWorkloads),
    initial: null,
    example: '/srv/shared',
    form: 'text',
    about: 'a folder that every workload finds at `/shared`; its path may differ from node to node',
    usedBy,
  }),
  scratchDir: setting({
    schema: v.nullable(folderForWorkloads),
    initial: null,
    example: '/scratch',
    form: 'text',
    about: 'a fast local folder in which each attempt gets one of its own, at `/scratch`, removed after its end',
    usedBy,
  }),
  mounts: setting({
    schema: mounts,
    initial: [],
    example: [{ name: 'datasets', path: '/srv/datasets', readOnly: true }],
    form: 'json',
    about:
      'folders that workloads may ask for by name: `name`, `path`, `readOnly` (false), `everyWorkload` (false: only who asks), `target` (where a workload finds it unless it says, `/mnt/NAME`)',
    usedBy,
  }),
  allow,
  docker,
  logs,
});
