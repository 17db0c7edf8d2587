import { abortable } from '../../../lib/abort.ts';
import type { CgroupLayout } from './cgroup.ts';
import { readLayout } from './cgroup.ts';
import type { EngineClient } from './engine.ts';
import { ask, createEngineClient } from './engine.ts';
import { readEngineProcess } from './engine-process.ts';
import type { EngineInfo } from '../backend.ts';
import type { Holdings } from './holdings.ts';
import { createHoldings } from './holdings.ts';
import type { Identity } from './identity.ts';
import type { EngineFacts } from './judge-end.ts';
import type { KillMarks } from './kill-marks.ts';
import { createKillMarks } from './kill-marks.ts';
import type { Limiter } from './limiter.ts';
import { createLimiter } from './limiter.ts';
import type { DockerBackendOptions } from './options.ts';

/** What the verbs of this backend share. */
export interface DockerParts extends Pick<EngineClient, 'docker'> {
  options: DockerBackendOptions;
  identity: Identity;
  holdings: Holdings;
  marks: KillMarks;
  starts: Limiter;
  life: EngineLife;
}

/** What does not change while an engine runs. */
export interface AboutEngine {
  info: EngineInfo;
  layout: CgroupLayout;
  nofileHard: number;
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

async function askAbout(
  client: EngineClient,
  socketPath: string,
  signal: AbortSignal,
): Promise<AboutEngine> {
  const info: unknown = await ask(abortable(client.docker.info(), signal), signal);
  const version = textField(info, 'CgroupVersion') === '2' ? 'v2' : 'v1';
  const driver = textField(info, 'CgroupDriver') === 'systemd' ? 'systemd' : 'cgroupfs';
  return {
    info: {
      name: 'docker',
      version: textField(info, 'ServerVersion'),
      cgroup: version,
      storageDriver: textField(info, 'Driver'),
    },
    layout: await readLayout({ version, driver }),
    nofileHard: (await readEngineProcess(socketPath)).nofileHard,
  };
}

function textField(value: unknown, name: string): string {
  const field = typeof value === 'object' && value !== null ? Reflect.get(value, name) : null;
  return typeof field === 'string' ? field : '';
}
