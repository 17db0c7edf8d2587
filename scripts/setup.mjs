// @ts-check
// Installs what is missing: npm packages, Debian packages, and an engine that answers. Quick when all is there.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ensureEngine } from './engine.mjs';
import { capture } from './run.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A sentence for the person at the keyboard: what is missing and how to get it. */
export class SetupError extends Error {}

/** What a program is called and which Debian package brings it. */
const programs = {
  busybox: 'busybox-static',
  curl: 'curl',
  ip: 'iproute2',
  nft: 'nftables',
  iptables: 'iptables',
  openssl: 'openssl',
};
const enginePrograms = { docker: 'docker.io', dockerd: 'docker.io' };

/** @typedef {{ startedEngine: boolean, [Symbol.asyncDispose]: () => Promise<void> }} Setup */

/**
 * Brings the machine to where Weir's tests or its demo can run. Throws SetupError with one clear line.
 * @param {{ docker: boolean, quiet?: boolean }} options
 * @returns {Promise<Setup>} disposing it stops the engine, if this call has started one
 */
export async function setup({ docker, quiet = false }) {
  const say = (/** @type {string} */ line) => {
    if (!quiet) console.log(line);
  };
  installNpmPackages(say);
  if (!docker) return { startedEngine: false, async [Symbol.asyncDispose]() {} };
  installDebianPackages(say);
  const engine = await ensureEngine(say);
  if ('problem' in engine) throw new SetupError(engine.problem);
  return { startedEngine: engine.started, [Symbol.asyncDispose]: engine.stop };
}

/** @param {(line: string) => void} say */
function installNpmPackages(say) {
  if (hasNpmPackages()) return;
  say('Installing npm packages …');
  const options = ['--no-audit', '--no-fund'];
  const clean = capture('npm', ['ci', ...options], { cwd: root });
  // `npm ci` refuses a lock file made where other platforms' optional binaries were not served.
  const result = clean.ok ? clean : capture('npm', ['install', '--no-save', ...options], { cwd: root });
  if (!result.ok) throw new SetupError(`npm install failed: ${lastLines(result.stderr)}`);
}

/** Whether what npm notes that it has installed is what the lock file asks for, and is still there. */
function hasNpmPackages() {
  const noted = `${root}node_modules/.package-lock.json`;
  if (!existsSync(noted)) return false;
  const installed = packagesOf(noted);
  return Object.entries(packagesOf(`${root}package-lock.json`)).every(([path, { version, optional }]) => {
    if (path === '' || (optional && installed[path] === undefined)) return true;
    return installed[path]?.version === version && existsSync(`${root}${path}/package.json`);
  });
}

/**
 * @param {string} lockFile
 * @returns {Record<string, { version: string, optional?: boolean }>}
 */
function packagesOf(lockFile) {
  return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
}

/** @param {(line: string) => void} say */
function installDebianPackages(say) {
  const missing = missingDebianPackages();
  if (missing.length === 0) return;
  const command = `apt-get install ${missing.join(' ')}`;
  if (process.getuid?.() !== 0) throw new SetupError(`Missing ${missing.join(', ')}: sudo ${command}`);
  if (!capture('apt-get', ['--version']).ok) {
    throw new SetupError(`Missing ${missing.join(', ')}: install them with this system's package manager`);
  }
  say(`Installing ${missing.join(', ')} …`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  capture('apt-get', ['update', '-q'], { env });
  const options = ['install', '-q', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'];
  const result = capture('apt-get', [...options, ...missing], { env });
  // Where nothing starts services, a package may complain about its own and be there all the same.
  const still = missingDebianPackages();
  if (still.length > 0) throw new SetupError(`${command} failed: ${lastLines(result.stderr)}`);
}

function missingDebianPackages() {
  // An engine that answers may be of any make: Debian's is needed only where there is none.
  const engine = capture('docker', ['version']).ok;
  const wanted = Object.entries(engine ? programs : { ...programs, ...enginePrograms });
  const packages = wanted.filter(([name]) => !isInstalled(name)).map(([, name]) => name);
  if (!existsSync('/etc/ssl/certs/ca-certificates.crt')) packages.push('ca-certificates');
  return [...new Set(packages)];
}

/** @param {string} program */
function isInstalled(program) {
  const path = `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;
  return path.split(':').some((folder) => folder !== '' && existsSync(`${folder}/${program}`));
}

/** @param {string} text */
function lastLines(text) {
  return text.trim().split('\n').slice(-3).join(' ');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    // As a command it leaves a running engine behind: that is what it was asked for.
    await setup({ docker: !process.argv.includes('--no-docker') });
    console.log('Everything is there.');
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
