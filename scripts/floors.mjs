// The one table of rooms, from the ground up. scripts/lint-config.mjs makes the linter's rules of it,
// test/architecture reads it to find arrows that run back up. docs: src/README.md.

/** What a side of the product may take from the others: values, types only, or by dynamic import only. */
export const sides = {
  lib: {},
  node: { sees: ['lib'] },
  // What needs Linux: the command line runs on other systems too.
  linux: { sees: ['lib', 'node'] },
  protocol: { sees: ['lib'] },
  bridge: { sees: ['lib', 'protocol'] },
  config: { sees: ['lib', 'protocol'] },
  host: { sees: ['lib', 'protocol'] },
  platform: { sees: ['lib', 'node', 'linux', 'protocol', 'bridge', 'host'] },
  runner: { sees: ['lib', 'node', 'linux', 'protocol', 'bridge'] },
  main: {
    sees: ['lib', 'node', 'linux', 'protocol', 'bridge', 'config', 'host', 'platform', 'runner'],
  },
  cli: { sees: ['lib', 'node', 'protocol', 'config'], types: ['host'], loads: ['main'] },
  dashboard: { sees: ['lib', 'protocol'], types: ['host'] },
};

const http = ['hono', 'hono-openapi', '@hono/standard-validator'];
const sql = ['drizzle-orm'];
const drivers = ['libsql', '@libsql/client'];

/**
 * Rooms by floor. A room sees its own files and the rooms of lower floors that its side may see; rooms
 * of one floor do not see each other. The longest path that fits a file is its room.
 * `flat`: the folder's own files, not its folders: each of those has a room of its own.
 * `packages`: what may be imported from outside; `types`: from those, types only.
 * `portable`: runs on macOS and Windows too: of Node's modules only what is the same there.
 * `node`: may use Node's modules; `clocks`: may use timers, the wall clock, randomness and WebCrypto.
 */
const floors = [
  [{ path: 'src/lib', side: 'lib', clocks: true }],
  [
    {
      path: 'src/lib/node',
      side: 'node',
      node: true,
      clocks: true,
      packages: ['pino', 'hono', '@hono/node-server'],
    },
    { path: 'src/protocol', side: 'protocol', packages: ['valibot'] },
  ],
  [
    { path: 'src/lib/node/folder-lock.ts', side: 'linux', node: true, clocks: true },
    { path: 'src/lib/node/run-tool.ts', side: 'linux', node: true, clocks: true },
    { path: 'src/bridge', side: 'bridge', node: true },
    { path: 'src/config', side: 'config', node: true, packages: ['valibot', 'jsonc-parser'] },
  ],
  [
    { path: 'src/host/scheduling', side: 'host' },
    { path: 'src/host/store', side: 'host', packages: ['valibot', ...sql], types: drivers },
    { path: 'src/host/config.ts', side: 'host', packages: ['valibot'] },
  ],
  [{ path: 'src/host/auth', side: 'host', packages: ['valibot', 'jose', ...http, ...sql] }],
  [{ path: 'src/host/http', side: 'host', packages: ['valibot', ...http] }],
  [{ path: 'src/host/context.ts', side: 'host', types: ['hono', ...sql] }],
  // Every other domain writes its events in its own transaction.
  [{ path: 'src/host/events', side: 'host', packages: ['valibot', ...http, ...sql] }],
  ['tasks', 'vps', 'images', 'files', 'overlay', 'usage'].map((name) => ({
    path: `src/host/${name}`,
    side: 'host',
    packages: ['valibot', ...http, ...sql],
  })),
  [{ path: 'src/host/reconcile', side: 'host', packages: [...sql] }],
  [{ path: 'src/host/nodes', side: 'host', packages: ['valibot', 'jose', ...http, ...sql] }],
  [{ path: 'src/host/status', side: 'host', packages: ['valibot', ...http, ...sql] }],
  [{ path: 'src/host/relay', side: 'host', packages: ['valibot', ...http, ...sql] }],
  [{ path: 'src/host', side: 'host', flat: true, packages: ['valibot', ...http, ...sql] }],
  [
    {
      path: 'src/host/platform',
      side: 'platform',
      node: true,
      clocks: true,
      packages: ['hono', '@hono/node-server', 'ws', 'ssh2', 'jose', 'pino', ...sql, ...drivers],
    },
  ],
  [
    { path: 'src/runner/backend', side: 'runner' },
    { path: 'src/runner/time', side: 'runner' },
    { path: 'src/runner/policy.ts', side: 'runner' },
  ],
  [
    { path: 'src/runner/journal', side: 'runner', node: true, packages: ['libsql'] },
    ...['hardware', 'network', 'files', 'terminal', 'tunnel', 'logs'].map((name) => ({
      path: `src/runner/${name}`,
      side: 'runner',
      node: true,
    })),
  ],
  [
    { path: 'src/runner/backend/docker', side: 'runner', node: true, packages: ['dockerode'] },
    { path: 'src/runner/backend/qemu', side: 'runner', node: true },
    { path: 'src/runner/backend/simulated', side: 'runner' },
  ],
  [{ path: 'src/runner/reconcile', side: 'runner' }],
  [
    { path: 'src/runner/sync', side: 'runner', packages: ['jose', 'valibot'] },
    { path: 'src/runner/enrol', side: 'runner', node: true, packages: ['jose', 'valibot'] },
  ],
  [
    {
      path: 'src/runner',
      side: 'runner',
      node: true,
      packages: ['jose', 'valibot', 'hono', '@hono/node-server'],
    },
  ],
  [{ path: 'src/main', side: 'main', node: true }],
  [
    {
      path: 'src/cli',
      side: 'cli',
      node: true,
      portable: true,
      packages: ['commander', '@commander-js/extra-typings', 'hono', 'yaml'],
    },
    { path: 'src/dashboard', side: 'dashboard', clocks: true, packages: ['vue', 'hono'] },
  ],
];

export const rooms = floors.flatMap((floor, level) =>
  floor.map((room) => ({
    packages: [],
    types: [],
    node: false,
    clocks: false,
    portable: false,
    flat: false,
    ...room,
    level,
  })),
);

/** The room of a file (path from the root of the repository), or undefined outside src. */
export function roomOf(file) {
  return rooms.filter((room) => isIn(file, room)).sort((a, b) => b.path.length - a.path.length)[0];
}

function isIn(file, room) {
  if (file === room.path) return true;
  const inside = file.startsWith(`${room.path}/`);
  return inside && !(room.flat && file.slice(room.path.length + 1).includes('/'));
}

const canSee = (from, to) => {
  const { sees = [], types = [], loads = [] } = sides[from.side];
  return to.side === from.side || [...sees, ...types, ...loads].includes(to.side);
};

/** Whether a file of room `from` may import one of room `to`, as value, type or dynamically. */
export function mayImport(from, to) {
  return from === to || (to.level < from.level && canSee(from, to));
}

/** Whether only its types may be taken. */
export function typesOnly(from, to) {
  return from !== to && (sides[from.side].types ?? []).includes(to.side);
}

/** The npm package of a bare specifier: `drizzle-orm/sqlite-core` → `drizzle-orm`. */
export function packageOf(specifier) {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
}
