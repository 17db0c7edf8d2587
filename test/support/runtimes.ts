import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { capture } from '../../scripts/run.mjs';
import { findBun, findNode24, findWrangler } from '../../scripts/runtimes.mjs';
import { ensureSqld, SqldUnavailable } from '../../scripts/sqld.mjs';
import { testFolder } from './database.ts';
import { freePort, startSqld } from './sqld.ts';

/** A Host on some runtime, reached by HTTP and by nothing else. */
export interface RunningHost extends AsyncDisposable {
  url: string;
  token: string;
}

export interface Runtime {
  name: string;
  /** Whether it dials Runners; where not, it says that another Host does. */
  dials: boolean;
  /** `null`: it is here. Else why not. */
  missing: string | null;
  start(built: Built): Promise<RunningHost>;
}

/** Weir as `npm run build` makes it, in a folder of its own. */
export interface Built extends Disposable {
  main: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const startWithinMs = 60_000;

export function buildWeir(): Built {
  const cache = join(root, 'node_modules/.cache/weir');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'built-'));
  const result = capture(join(root, 'node_modules/.bin/tsup'), ['--out-dir', folder, '--no-sourcemap'], { cwd: root });
  if (!result.ok) throw new Error(`the build failed: ${result.stdout}${result.stderr}`);
  return {
    main: join(folder, 'cli/main.js'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

/** Every runtime that Weir is for, whether this machine has it or not. */
export async function findRuntimes(): Promise<Runtime[]> {
  const [node24, bun, wrangler] = [findNode24(), findBun(), findWrangler()];
  const sqld = await ensureSqld().then(
    () => null,
    (error: unknown) => {
      if (error instanceof SqldUnavailable) return error.message;
      throw error;
    },
  );
  return [
    asProcess(`Node ${process.version}`, { path: process.execPath }),
    asProcess('Node 24', node24),
    asProcess('Bun', bun),
    {
      name: 'Node with a libSQL server',
      dials: true,
      missing: sqld,
      start: async (built) => {
        const parts = createParts();
        return parts.orEnd(async () => {
          const server = parts.add(await startSqld());
          const host = parts.add(await startProcess(process.execPath, built, { WEIR_HOST_DATABASE_URL: server.url }));
          return { url: host.url, token: host.token, [Symbol.asyncDispose]: parts.end };
        });
      },
    },
    {
      name: 'workerd',
      dials: false,
      missing: 'missing' in wrangler ? wrangler.missing : sqld,
      start: async (built) => startWorkerd('path' in wrangler ? wrangler.path : '', built),
    },
  ];
}

function asProcess(name: string, found: { path: string } | { missing: string }): Runtime {
  const missing = 'missing' in found ? found.missing : null;
  return {
    name,
    dials: true,
    missing,
    start: (built) => startProcess('path' in found ? found.path : '', built),
  };
}

interface Parts {
  add<T extends AsyncDisposable>(part: T): T;
  /** Ends all of them when `work` fails. */
  orEnd<T>(work: () => Promise<T>): Promise<T>;
  /** The newest first. */
  end(): Promise<void>;
}

function createParts(): Parts {
  const all: AsyncDisposable[] = [];
  const end = async (): Promise<void> => {
    for (const part of all.splice(0).toReversed()) await part[Symbol.asyncDispose]();
  };
  return {
    add(part) {
      all.push(part);
      return part;
    },
    async orEnd(work) {
      try {
        return await work();
      } catch (error) {
        await end();
        throw error;
      }
    },
    end,
  };
}

interface HostProcess extends RunningHost {
  dataDir: string;
}

async function startProcess(program: string, { main }: Built, env: Record<string, string> = {}): Promise<HostProcess> {
  const dataDir = testFolder();
  const child = launch(program, [main, 'host', '--data', dataDir, '--listen', '127.0.0.1:0'], env);
  const stop = async (): Promise<void> => {
    await child.end();
    rmSync(dataDir, { recursive: true });
  };
  try {
    const url = await child.until(() => endpointOf(dataDir));
    const token = readFileSync(join(dataDir, 'admin.token'), 'utf8').trim();
    return { url, token, dataDir, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The HTTP part on workerd; a Host on Node at the same database does the loops. */
async function startWorkerd(wrangler: string, built: Built): Promise<RunningHost> {
  const parts = createParts();
  return parts.orEnd(async () => {
    const server = parts.add(await startSqld());
    const host = parts.add(await startProcess(process.execPath, built, { WEIR_HOST_DATABASE_URL: server.url }));
    const port = await freePort();
    const child = launch(process.execPath, [wrangler, ...workerFlags(host, { port, databaseUrl: server.url })], quiet);
    parts.add({ [Symbol.asyncDispose]: () => child.end() });
    const url = `http://127.0.0.1:${port}`;
    await child.until(async () => ((await answers(`${url}/readyz`)) ? url : null));
    return { url, token: host.token, [Symbol.asyncDispose]: parts.end };
  });
}

/** Without these it asks the internet for things. */
const quiet = {
  WRANGLER_SEND_METRICS: 'false',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  NO_COLOR: '1',
};

function workerFlags({ dataDir }: HostProcess, { port, databaseUrl }: { port: number; databaseUrl: string }): string[] {
  const pem = readFileSync(join(dataDir, 'host/keys/signing.pem'), 'utf8');
  const variables = join(dataDir, 'worker.env');
  const secrets = {
    WEIR_SIGNING_KEY: pem.replace(/-----[A-Z ]+-----|\s/g, ''),
    WEIR_HOST_DATABASE_URL: databaseUrl,
  };
  const lines = Object.entries(secrets).map(([name, value]) => `${name}="${value}"\n`);
  writeFileSync(variables, lines.join(''), { mode: 0o600 });
  const where = ['--local', '--ip', '127.0.0.1', '--port', String(port), '--inspector-port', '0'];
  return [
    'dev',
    ...where,
    '--persist-to',
    join(dataDir, 'worker'),
    '--show-interactive-dev-session=false',
    '--env-file',
    variables,
  ];
}

interface Launched {
  /** Looks until there is something; fails when the process ends before. */
  until<T>(look: () => Promise<T | null>): Promise<T>;
  end(): Promise<void>;
}

function launch(program: string, args: readonly string[], env: Record<string, string>): Launched {
  const child: ChildProcess = spawn(program, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-10_000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  let failure: Error | null = null;
  const over = Promise.race([once(child, 'exit'), once(child, 'error').then(([error]) => (failure = error as Error))]);
  const isOver = (): boolean => failure !== null || child.exitCode !== null || child.signalCode !== null;
  return {
    async until(look) {
      for (const started = performance.now(); performance.now() - started < startWithinMs;) {
        if (isOver()) break;
        const found = await look();
        if (found !== null) return found;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error(`${program} ${args.join(' ')} did not answer:\n${failure?.message ?? output}`);
    },
    async end() {
      if (isOver()) return;
      child.kill('SIGTERM');
      await over;
    },
  };
}

async function endpointOf(dataDir: string): Promise<string | null> {
  try {
    const { url } = JSON.parse(readFileSync(join(dataDir, 'endpoint.json'), 'utf8')) as {
      url: string;
    };
    return (await answers(`${url}/readyz`)) ? url : null;
  } catch {
    return null;
  }
}

async function answers(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(5000) }).then(
    async (answer) => {
      await answer.body?.cancel();
      return answer.ok;
    },
    () => false,
  );
}
