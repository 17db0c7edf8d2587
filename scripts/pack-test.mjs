// @ts-check
// npm run pack:test: packs Weir into one file, installs it into an empty prefix, and works with what is there: command
// line, Host and Runner. The last line counts what was looked at.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { capture } from './run.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const startWithinMs = 30_000;
const folder = mkdtempSync(join(tmpdir(), 'weir-pack-'));
const home = join(folder, 'home');
const data = join(folder, 'data');
const prefix = join(folder, 'prefix');
/** What a user has: Node and nothing of the checkout. */
const env = { PATH: `${dirname(process.execPath)}:/usr/sbin:/usr/bin:/sbin:/bin`, HOME: home };
const weir = join(prefix, 'bin/weir');
let passed = 0;
let failed = 0;

/** @param {string} name @param {() => unknown} look */
async function step(name, look) {
  try {
    const said = await look();
    passed += 1;
    console.log(`ok     ${name}${typeof said === 'string' ? `: ${said}` : ''}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** @param {readonly string[]} args @param {Record<string, string>} [more] */
function run(args, more = {}) {
  const result = inEmptyEnvironment(weir, args, more);
  if (!result.ok) throw new Error(`weir ${args.join(' ')} ended with ${result.code}: ${result.stderr.trim()}`);
  return result.stdout.trim();
}

/** @param {string} command @param {readonly string[]} args @param {Record<string, string>} [more] */
function inEmptyEnvironment(command, args, more = {}) {
  const cleared = Object.entries({ ...env, ...more }).map(([name, value]) => `${name}=${value}`);
  return capture('env', ['-i', '-C', home, ...cleared, command, ...args]);
}

/**
 * @template T
 * @param {() => T | null | Promise<T | null>} look
 */
async function until(look) {
  for (const started = performance.now(); performance.now() - started < startWithinMs; await sleep(100)) {
    const found = await look();
    if (found !== null) return found;
  }
  throw new Error(`nothing within ${startWithinMs} ms`);
}

/** @param {readonly string[]} args @param {Record<string, string>} [more] */
function start(args, more = {}) {
  const child = spawn(weir, args, {
    cwd: home,
    env: { ...env, ...more },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => (said = (said + chunk).slice(-2000)));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    alive: () => {
      if (child.exitCode !== null) throw new Error(`weir ${args[0]} ended with ${child.exitCode}: ${said.trim()}`);
    },
    async stop() {
      child.kill('SIGTERM');
      const code = await ended;
      if (code !== 0) throw new Error(`it ended with ${code}: ${said.trim()}`);
    },
  };
}

async function work() {
  for (const made of [home, prefix]) mkdirSync(made);
  const [packed] = JSON.parse(must('npm', ['pack', '--json', '--silent', '--pack-destination', folder], root));
  const file = join(folder, packed.filename);
  await step('one file', () => {
    const odd = packed.files
      .map((/** @type {{ path: string }} */ { path }) => path)
      .filter(
        (/** @type {string} */ path) =>
          !/^(?:dist\/.*\.js|dist\/.*\.css|dist\/.*\.html|dist\/.*\.svg|package\.json|README\.md|LICENSE)$/.test(path),
      );
    if (odd.length > 0) throw new Error(`it carries ${odd.slice(0, 5).join(', ')}`);
    return `${kib(packed.size)} KiB packed, ${kib(packed.unpackedSize)} KiB unpacked, ${packed.entryCount} files`;
  });
  await step('npm install -g into an empty prefix', () => {
    must('npm', ['install', '-g', '--prefix', prefix, '--no-audit', '--no-fund', file], folder);
    return `${kib(sizeOf(prefix))} KiB with its dependencies`;
  });
  await step('no TypeScript, bundler or test runner comes along', () => {
    const modules = join(prefix, 'lib/node_modules/weir/node_modules');
    const found = ['typescript', 'tsup', 'tsx', 'esbuild', 'vitest', 'wrangler', 'bun'].filter((name) =>
      existsSync(join(modules, name)),
    );
    if (found.length > 0) throw new Error(`there are ${found.join(', ')}`);
  });
  await step('the command starts', () => {
    const times = Array.from({ length: 7 }, () => timed(() => run(['--version']))).sort((a, b) => a - b);
    return `${run(['--version'])} in ${Math.round(times[3] ?? 0)} ms, of which Node alone ${Math.round(timed(() => inEmptyEnvironment(process.execPath, ['-e', '0'])))} ms`;
  });
  await host();
}

async function host() {
  const process_ = start(['host', '--data', data, '--listen', '127.0.0.1:0']);
  const startedMs = performance.now();
  await step('the Host starts, with its migrations', async () => {
    await until(async () => {
      process_.alive();
      return existsSync(join(data, 'endpoint.json')) ? true : null;
    });
    return `${Math.round(performance.now() - startedMs)} ms`;
  });
  const { url } = JSON.parse(readFileSync(join(data, 'endpoint.json'), 'utf8'));
  const there = {
    WEIR_URL: url,
    WEIR_TOKEN: readFileSync(join(data, 'admin.token'), 'utf8').trim(),
  };
  await step('the command works with it', () => {
    run(['task', 'submit', '--name', 'packed', '--image', 'weir/demo:1', '--', 'true'], there);
    const listed = run(['task', 'list'], there);
    if (!listed.includes('packed')) throw new Error(listed);
  });
  await step('a Runner joins', async () => runner(there, url));
  await step('SIGTERM ends the Host well', () => process_.stop());
}

/** @param {Record<string, string>} there @param {string} url */
async function runner(there, url) {
  if (!capture('docker', ['version']).ok) return 'not tried: no Docker Engine answers here';
  const token = run(['node', 'join-token'], there).split('\n')[0] ?? '';
  const joined = start(
    ['runner', '--data', join(folder, 'runner'), '--host', url, '--name', 'packed-node', '--listen', '127.0.0.1:0'],
    {
      WEIR_JOIN_TOKEN: token,
    },
  );
  await until(() => {
    joined.alive();
    return /packed-node\s.*ready|ready.*packed-node/.test(run(['node', 'list'], there)) ? true : null;
  });
  await joined.stop();
  return undefined;
}

/** @param {string} command @param {readonly string[]} args @param {string} cwd */
function must(command, args, cwd) {
  const result = capture(command, args, { cwd });
  if (!result.ok) throw new Error(`${command} ${args.join(' ')} failed: ${result.stderr.trim()}`);
  return result.stdout;
}

/** @param {() => unknown} work_ */
function timed(work_) {
  const startedMs = performance.now();
  work_();
  return performance.now() - startedMs;
}

/** @param {number} bytes */
const kib = (bytes) => Math.round(bytes / 1024).toLocaleString('en');

/** @param {string} path */
function sizeOf(path) {
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return Number(capture('du', ['-sb', path]).stdout.split('\t')[0]);
}

try {
  await work();
} catch (error) {
  failed += 1;
  console.log(`FAILED ${error instanceof Error ? error.message : String(error)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
