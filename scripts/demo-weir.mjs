// @ts-check
// Builds Weir when that is needed and runs `weir up` as a child: for the demo, and for tests that want the real thing.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { capture } from './run.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const startMs = 20_000;
const stopMs = 20_000;

/** The built command. */
export const weirMain = join(root, 'dist/cli/main.js');

/**
 * Builds `dist` when it is missing or older than what it is made of.
 * @returns {'built' | 'present'}
 */
export function ensureBuilt() {
  const builtMs = existsSync(weirMain) ? statSync(weirMain).mtimeMs : 0;
  const sources = ['src', 'package.json', 'tsup.config.ts'].map((name) => join(root, name));
  if (sources.every((path) => newestMs(path) <= builtMs)) return 'present';
  const result = capture(process.execPath, [join(root, 'node_modules/tsup/dist/cli-default.js')], {
    cwd: root,
  });
  if (result.ok) return 'built';
  const told = `${result.stdout}${result.stderr}`.split('\n').filter((line) => !/^\s+at /.test(line));
  throw new Error(`the build failed:\n${told.join('\n').trim()}`);
}

/**
 * @param {string} path
 * @returns {number}
 */
function newestMs(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  const inside = readdirSync(path).map((name) => newestMs(join(path, name)));
  return Math.max(stats.mtimeMs, ...inside);
}

/**
 * @typedef {{
 *   url: string,
 *   token: string,
 *   logFile: string,
 *   hasEnded: () => boolean,
 *   stop: () => Promise<void>,
 * }} RunningWeir
 */

/**
 * Runs `weir up` on a folder until `stop`; resolves when its Host answers. Its log goes to `weir.log` in that folder.
 * @param {string} data
 * @param {AbortSignal} signal
 * @returns {Promise<RunningWeir>}
 */
export async function startWeir(data, signal) {
  const logFile = join(data, 'weir.log');
  const output = openSync(logFile, 'a');
  const endpoint = join(data, 'endpoint.json');
  rmSync(endpoint, { force: true });
  const args = [weirMain, 'up', '--data', data, '--listen', '127.0.0.1:0'];
  // Its own group: Ctrl-C is for the command, which stops it when it is done with it.
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', output, output],
    detached: true,
  });
  closeSync(output);
  let ended = false;
  const exit = new Promise((resolve) => {
    child.once('error', resolve);
    child.once('exit', resolve);
  }).then(() => (ended = true));
  const stop = async () => {
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
    if (!ended) child.kill('SIGTERM');
    await exit;
    clearTimeout(timer);
  };
  try {
    const url = await waitForUrl(endpoint, () => ended, signal);
    const token = readFileSync(join(data, 'admin.token'), 'utf8').trim();
    return { url, token, logFile, hasEnded: () => ended, stop };
  } catch (error) {
    await stop();
    signal.throwIfAborted();
    throw new Error(`weir up did not start:\n${lastLines(logFile)}`, { cause: error });
  }
}

/**
 * @param {string} endpoint
 * @param {() => boolean} hasEnded
 * @param {AbortSignal} signal
 * @returns {Promise<string>}
 */
async function waitForUrl(endpoint, hasEnded, signal) {
  const until = AbortSignal.any([signal, AbortSignal.timeout(startMs)]);
  while (!existsSync(endpoint)) {
    if (hasEnded()) throw new Error('it has ended');
    await sleep(50, undefined, { signal: until });
  }
  return JSON.parse(readFileSync(endpoint, 'utf8')).url;
}

/** @param {string} file */
export function lastLines(file) {
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').slice(-15).join('\n') : '';
}

/**
 * @typedef {{
 *   json: (path: string, body?: unknown) => Promise<any>,
 *   stream: (path: string, accept: string) => AsyncGenerator<string>,
 * }} Api
 */

/**
 * The HTTP API as a bot uses it: a URL and a token.
 * @param {Pick<RunningWeir, 'url' | 'token'>} weir
 * @param {AbortSignal} signal
 * @returns {Api}
 */
export function connect({ url, token }, signal) {
  const authorization = `Bearer ${token}`;
  /**
   * @param {string} path
   * @param {{ method?: string, headers?: Record<string, string>, body?: string }} [init]
   */
  const call = async (path, init = {}) => {
    const headers = { authorization, ...init.headers };
    const answer = await fetch(`${url}/api/v1${path}`, { ...init, headers, signal });
    if (answer.ok) return answer;
    const problem = await answer.json();
    throw new Error(`${path}: ${problem.detail} (${problem.code})`);
  };
  return {
    async json(path, body) {
      if (body === undefined) return (await call(path)).json();
      const headers = { 'content-type': 'application/json' };
      return (await call(path, { method: 'POST', headers, body: JSON.stringify(body) })).json();
    },
    async *stream(path, accept) {
      const answer = await call(path, { headers: { accept } });
      if (answer.body === null) return;
      let rest = '';
      for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
        const lines = `${rest}${text}`.split('\n');
        rest = lines.pop() ?? '';
        yield* lines;
      }
      if (rest !== '') yield rest;
    },
  };
}

/**
 * Waits until a node takes work.
 * @param {Api} api
 * @param {AbortSignal} signal
 */
export async function waitForNode(api, signal) {
  const until = AbortSignal.any([signal, AbortSignal.timeout(startMs)]);
  for (;;) {
    const nodes = (await api.json('/nodes')).items;
    const ready = nodes.find((/** @type {any} */ node) => node.state === 'ready' && node.capacity);
    if (ready) return ready;
    await sleep(50, undefined, { signal: until });
  }
}
