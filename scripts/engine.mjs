// @ts-check
// Finds a Docker engine that answers; where nothing starts one by itself, starts `dockerd`.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { capture } from './run.mjs';

const pidFile = '/var/run/docker.pid';
const startMs = 60_000;
const stopMs = 30_000;

/** @typedef {{ started: boolean, stop: () => Promise<void> } | { problem: string }} Engine */

function socketPath() {
  const host = process.env.DOCKER_HOST ?? '';
  return host.startsWith('unix://') ? host.slice('unix://'.length) : '/var/run/docker.sock';
}

/**
 * Asks the engine on its socket; 'denied' means that this user may not.
 * @returns {Promise<'up' | 'down' | 'denied'>}
 */
export function probeEngine() {
  return new Promise((resolve) => {
    const call = request({ socketPath: socketPath(), path: '/_ping', timeout: 5_000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200 ? 'up' : 'down');
    });
    call.on('timeout', () => call.destroy(new Error('timed out')));
    call.on('error', (error) => resolve('code' in error && error.code === 'EACCES' ? 'denied' : 'down'));
    call.end();
  });
}

/**
 * @param {(line: string) => void} say
 * @returns {Promise<Engine>} `stop` ends the engine only if this call has started it
 */
export async function ensureEngine(say) {
  const found = await probeEngine();
  if (found === 'up') return { started: false, stop: async () => {} };
  if (found === 'denied') {
    return {
      problem: `No access to ${socketPath()}: sudo usermod -aG docker $USER, then log in again`,
    };
  }
  if (process.getuid?.() !== 0) {
    return {
      problem: 'No Docker engine answers: sudo apt-get install docker.io, or run this as root',
    };
  }
  if (existsSync('/run/systemd/system')) {
    say('Starting the Docker engine …');
    capture('systemctl', ['start', 'docker']);
    if (await answers(startMs)) return { started: false, stop: async () => {} };
    return { problem: 'The Docker engine does not start: journalctl -u docker says why' };
  }
  return startDockerd(say);
}

/**
 * @param {(line: string) => void} say
 * @returns {Promise<Engine>}
 */
async function startDockerd(say) {
  say('Starting dockerd …');
  if (isStale(pidFile)) rmSync(pidFile, { force: true });
  const folder = mkdtempSync(join(tmpdir(), 'weir-dockerd-'));
  const log = join(folder, 'log');
  const output = openSync(log, 'a');
  // Its own group: Ctrl-C is for the command, which stops the engine when it is done with it.
  const child = spawn('dockerd', ['--host', `unix://${socketPath()}`], {
    stdio: ['ignore', output, output],
    detached: true,
  });
  /** @type {string | undefined} */
  let failure;
  child.once('error', (error) => (failure = error.message));
  child.once('exit', (code) => (failure = `ended with code ${code}`));
  child.unref();
  if (await answers(startMs, () => failure !== undefined)) {
    const stop = async () => {
      await stopDockerd(child, say);
      rmSync(folder, { recursive: true, force: true });
    };
    return { started: failure === undefined, stop };
  }
  if (child.exitCode === null) child.kill('SIGTERM');
  return { problem: `dockerd does not start (${failure ?? 'no answer'}): see ${log}` };
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {(line: string) => void} say
 */
async function stopDockerd(child, say) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  say('Stopping dockerd …');
  child.ref();
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
  await ended;
  clearTimeout(timer);
}

/**
 * Waits until the engine answers; `gaveUp` ends the wait early unless another's engine is up by then.
 * @param {number} waitMs
 * @param {() => boolean} [gaveUp]
 */
async function answers(waitMs, gaveUp = () => false) {
  const end = performance.now() + waitMs;
  while (performance.now() < end) {
    if ((await probeEngine()) === 'up') return true;
    if (gaveUp()) return (await sleep(1_000), (await probeEngine()) === 'up');
    await sleep(100);
  }
  return false;
}

/**
 * A pid file whose process is gone, or is no dockerd any more, keeps dockerd from starting.
 * @param {string} file
 */
function isStale(file) {
  if (!existsSync(file)) return false;
  const pid = readFileSync(file, 'utf8').trim();
  const command = `/proc/${pid}/comm`;
  return !existsSync(command) || readFileSync(command, 'utf8').trim() !== 'dockerd';
}
