// @ts-check
// Everything that is not a test: lint, format, types, unused code, generated files. Runs all, then says which failed.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { capture } from './run.mjs';
import { setup } from './setup.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
await setup({ docker: false });

const formatted = ['src', 'test', 'scripts', '*.json', '*.ts'];
const bin = 'node_modules/.bin';
/** @type {[string, string, string[]][]} */
const checks = [
  ['generated files', 'node', ['scripts/generate.mjs', '--check']],
  ['format', `${bin}/oxfmt`, ['--list-different', ...formatted]],
  ['lint', `${bin}/oxlint`, ['src', 'test', 'scripts']],
  ['types of protocol, lib and host', `${bin}/tsc`, ['-p', 'tsconfig.host.json']],
  ['types', `${bin}/tsc`, ['-p', 'tsconfig.json']],
  ['unused code', `${bin}/knip`, ['--no-progress']],
];
if (existsSync('native/Cargo.toml')) {
  const inNative = ['--manifest-path', 'native/Cargo.toml'];
  checks.push(
    ['format of Rust', 'cargo', ['fmt', '--all', ...inNative, '--check']],
    ['clippy', 'cargo', ['clippy', '--quiet', '--all-targets', ...inNative, '--', '-D', 'warnings']],
  );
}

let failed = 0;
for (const [name, command, args] of checks) {
  const result = capture(command, args);
  if (!result.ok) {
    failed += 1;
    console.error(`${result.stdout}${result.stderr}`.trimEnd());
  }
  console.log(`${result.ok ? 'ok    ' : 'FAILED'} ${name}`);
}
console.log(`${checks.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
