import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ensureSqld } from '../../scripts/sqld.mjs';
import { testFolder } from './database.ts';

export interface TestSqld extends AsyncDisposable {
  /** `http:` URL of an empty database. */
  url: string;
}

const startWithinMs = 15_000;

/** A libSQL server of its own on a free loopback port. Throws SqldUnavailable where this machine cannot have one. */
export async function startSqld(): Promise<TestSqld> {
  const program = await ensureSqld();
  const folder = testFolder();
  const port = await freePort();
  const flags = ['--no-welcome', '--db-path', join(folder, 'sqld'), '--http-listen-addr', `127.0.0.1:${port}`];
  const child = spawn(program, flags, { stdio: 'ignore', cwd: folder, env: { RUST_LOG: 'error' } });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await untilAnswers(url, () => child.exitCode);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, [Symbol.asyncDispose]: stop };
}

async function untilAnswers(url: string, exitCode: () => number | null): Promise<void> {
  for (const started = performance.now(); performance.now() - started < startWithinMs;) {
    if (exitCode() !== null) throw new Error(`sqld ended with ${exitCode()}`);
    const answer = await fetch(`${url}/health`).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`sqld did not answer at ${url} within ${startWithinMs} ms`);
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was bound');
  return address.port;
}
