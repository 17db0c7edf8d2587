import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { openDatabase } from '../../src/host/platform/node/open-database.ts';
import { migrate } from '../../src/host/store/migrate.ts';
import { migrations } from '../../src/host/store/migrations.generated.ts';
import { nodeRandom } from '../../src/lib/node/hashes.ts';
import { apiClient, type ApiClient } from './api-client.ts';
import { demoImage, docker } from './docker.ts';
import { startWeir, type BuiltOrSource, type WeirProcess } from './weir-process.ts';

/** A cluster of real processes on the engine of this machine. Everything of it goes with it. */
export interface WeirLab extends AsyncDisposable {
  readonly folder: string;
  /** `weir up`, answering. */
  up(): Promise<Served>;
  /** `weir host`, answering; begun again it has the folder and the address of before. */
  host(options?: HostFlags): Promise<Served>;
  /** `weir runner`, by a join token the first time; `name` is its folder too. */
  runner(name: string, on: Served, extra?: readonly string[]): Promise<WeirProcess>;
  joinToken(on: Served): Promise<string>;
  /** Runs any other process of ours that ends with the lab. */
  start(args: readonly string[], env?: Record<string, string>): WeirProcess;
  /** Containers of this lab, by name. */
  containers(): Promise<string[]>;
}

export interface HostFlags {
  listen?: string;
}

export interface Served {
  process: WeirProcess;
  url: string;
  pin: string | null;
  api: ApiClient;
}

export async function openLab(from: BuiltOrSource = 'source'): Promise<WeirLab> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-lab-'));
  const processes: WeirProcess[] = [];
  const runners = new Set<string>();
  let address = '127.0.0.1:0';
  await numberFarAway(join(folder, 'host-data'));
  const start = (args: readonly string[], env: Record<string, string> = {}): WeirProcess => {
    const process = startWeir(args, from, env);
    processes.push(process);
    return process;
  };
  const serve = async (args: readonly string[]): Promise<Served> => {
    const data = join(folder, 'host-data');
    await rm(join(data, 'endpoint.json'), { force: true });
    const process = start([...args, '--data', data, '--listen', address]);
    await process.shows(/the Host answers/);
    const { url, tlsPin = null } = JSON.parse(await readFile(join(data, 'endpoint.json'), 'utf8')) as {
      url: string;
      tlsPin?: string;
    };
    address = `${address.slice(0, address.lastIndexOf(':'))}:${new URL(url).port}`;
    const token = (await readFile(join(data, 'admin.token'), 'utf8')).trim();
    return { process, url, pin: tlsPin, api: apiClient(url, token, { pin: tlsPin }) };
  };
  const lab: WeirLab = {
    folder,
    start,
    async up() {
      runners.add(join(folder, 'host-data'));
      return serve(['up']);
    },
    async host({ listen } = {}) {
      address = listen ?? address;
      return serve(['host']);
    },
    joinToken: async ({ api }) => (await api.post<{ token: string }>('/nodes/join-tokens', {})).token,
    async runner(name, on, extra = []) {
      const data = join(folder, name);
      const args = ['runner', '--data', data, '--listen', '127.0.0.1:0', ...extra];
      if (!runners.has(data)) {
        runners.add(data);
        await mkdir(data, { recursive: true });
        await writeFile(join(data, 'join.token'), await lab.joinToken(on));
        args.push('--join-file', join(data, 'join.token'), '--name', name);
        if (!extra.includes('--host')) args.push('--host', on.url);
      }
      const process = start(args);
      await process.shows(/the Runner works/);
      return process;
    },
    containers: async () => (await Promise.all([...runners].map(containersOf))).flat(),
    async [Symbol.asyncDispose]() {
      await Promise.all(processes.map((process) => process.end('SIGKILL')));
      for (const data of runners) {
        const left = await containersOf(data);
        if (left.length > 0) await docker('rm', '-fv', ...left);
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
  return lab;
}

/**
 * Names of containers are one space on an engine and come from the task's id: the ids of this cluster begin at a
 * number of its own, so that no other test or person meets them.
 */
async function numberFarAway(dataDir: string): Promise<void> {
  await mkdir(join(dataDir, 'host'), { recursive: true, mode: 0o700 });
  const { client, db, close } = await openDatabase({ url: join(dataDir, 'host', 'weir.db') });
  await migrate(client, migrations, 0);
  const first = Buffer.from(nodeRandom.bytes(4)).readUInt32BE() + 1024;
  await db.run(sql`insert into counters (kind, next) values ('task', ${first})`);
  await close();
}

async function containersOf(dataDir: string): Promise<string[]> {
  const file = await readFile(join(dataDir, 'runner', 'node.json'), 'utf8').catch(() => null);
  if (file === null) return [];
  const { cluster, node } = JSON.parse(file) as { cluster: string; node: string };
  const filters = ['--filter', `label=weir.cluster=${cluster}`, '--filter', `label=weir.node=${node}`];
  const names = await docker('ps', '-a', '--format', '{{.Names}}', ...filters);
  return names === '' ? [] : names.split('\n');
}

/** A task in the shell of the small image, for the API. A smaller share of a core would slow its very start. */
export function shellTask(script: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { image: demoImage, command: ['/bin/sh', '-c', script], resources: { cpus: 0.25, memory: '16MiB' }, ...more };
}
