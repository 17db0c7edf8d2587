import { abortable } from '../../../lib/abort.ts';
import type { CgroupLayout } from './cgroup.ts';
import { readLayout } from './cgroup.ts';
import type { EngineClient } from './engine.ts';
import { ask, createEngineClient } from './engine.ts';
import { readEngineProcess } from './engine-process.ts';
import type { EngineInfo } from '../backend.ts';
import { createFolders, type Folders } from './folders.ts';
import type { Holdings } from './holdings.ts';
import { createHoldings } from './holdings.ts';
import type { Identity } from './identity.ts';
import type { EngineFacts } from './judge-end.ts';
import type { KillMarks } from './kill-marks.ts';
import { createKillMarks } from './kill-marks.ts';
import type { Limiter } from './limiter.ts';
import { createLimiter } from './limiter.ts';
import { readMountTable } from './mount-table.ts';
import type { DockerBackendOptions } from './options.ts';
import { canLimitDisk, type EngineStorage } from './storage.ts';
import { createTurns, type Turns } from './turns.ts';

/** What the verbs of this backend share. */
export interface DockerParts extends Pick<EngineClient, 'docker'> {
  options: DockerBackendOptions;
  identity: Identity;
  holdings: Holdings;
  marks: KillMarks;
  starts: Limiter;
  life: EngineLife;
  folders: Folders;
  /** Containers whose starts are under way: one at a time each. */
  turns: Turns;
  /** Up to where their log files were given back to the disk, by name. */
  trimmed: Map<string, number>;
}

/** What does not change while an engine runs. */
export interface AboutEngine {
  info: EngineInfo;
  layout: CgroupLayout;
  nofileHard: number;
  /** Where it keeps its data. */
  rootDir: string;
  /** Whether it can limit the writable layer of a container. */
  diskLimit: boolean;
}

/** What is known of the engine and of the times in which it was not heard. */
export interface EngineLife {
  /** Asks the engine once for what does not change while it runs. */
  about(signal: AbortSignal): Promise<AboutEngine>;
  facts(): Promise<EngineFacts>;
  /** The event stream is gone; what was learned of the engine is asked for anew. */
  lost(): void;
  found(): void;
}

const mostGaps = 16;

export function createParts(options: DockerBackendOptions): {
  parts: DockerParts;
  client: EngineClient;
} {
  const client = createEngineClient(options.socketPath);
  const { cluster, node, macKey, hashes } = options;
  const parts: DockerParts = {
    options,
    docker: client.docker,
    identity: { cluster, node, macKey, hashes },
    holdings: createHoldings(),
    marks: createKillMarks(options.privateDir),
    starts: createLimiter(options.maxStarts),
    life: createEngineLife(options, client),
    folders: createFolders(options),
    turns: createTurns(),
    trimmed: new Map(),
  };
  return { parts, client };
}

function createEngineLife(options: DockerBackendOptions, client: EngineClient): EngineLife {
  const gaps: { fromMs: number; toMs: number }[] = [];
  let lostAtMs: number | null = null;
  let known: AboutEngine | null = null;
  return {
    async about(signal) {
      known ??= await askAbout(client, options.socketPath, signal);
      return known;
    },
    async facts() {
      const open = lostAtMs === null ? [] : [{ fromMs: lostAtMs, toMs: options.clock.now() }];
      const { startedAtMs } = await readEngineProcess(options.socketPath);
      return { startedAtMs, gaps: [...gaps, ...open] };
    },
    lost() {
      lostAtMs ??= options.clock.now();
      known = null;
    },
    found() {
      if (lostAtMs === null) return;
      gaps.push({ fromMs: lostAtMs, toMs: options.clock.now() });
      if (gaps.length > mostGaps) gaps.shift();
      lostAtMs = null;
    },
  };
}

async function askAbout(client: EngineClient, socketPath: string, signal: AbortSignal): Promise<AboutEngine> {
  const info: unknown = await ask(abortable(client.docker.info(), signal), signal);
  const version = textField(info, 'CgroupVersion') === '2' ? 'v2' : 'v1';
  const driver = textField(info, 'CgroupDriver') === 'systemd' ? 'systemd' : 'cgroupfs';
  const storage = readStorage(info);
  return {
    rootDir: storage.rootDir,
    diskLimit: canLimitDisk(storage, (await readMountTable('self')) ?? []),
    info: {
      name: 'docker',
      version: textField(info, 'ServerVersion'),
      cgroup: version,
      storageDriver: storage.driver,
    },
    layout: await readLayout({ version, driver }),
    nofileHard: (await readEngineProcess(socketPath)).nofileHard,
  };
}

function textField(value: unknown, name: string): string {
  const field = typeof value === 'object' && value !== null ? Reflect.get(value, name) : null;
  return typeof field === 'string' ? field : '';
}

function readStorage(info: unknown): EngineStorage {
  const status: unknown = typeof info === 'object' && info !== null ? Reflect.get(info, 'DriverStatus') : null;
  const pairs: unknown[] = Array.isArray(status) ? status : [];
  const backing = pairs.find(
    (pair): pair is [string, string] => Array.isArray(pair) && pair[0] === 'Backing Filesystem',
  );
  return {
    driver: textField(info, 'Driver'),
    backingFileSystem: backing?.[1] ?? '',
    rootDir: textField(info, 'DockerRootDir'),
  };
}
