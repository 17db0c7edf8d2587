// @ts-check
// Sets the machine up and runs all tests, or those whose paths are named. The last line counts them.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { show } from './run.mjs';
import { setup, SetupError } from './setup.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const args = process.argv.slice(2);

/** Runs vitest and counts; a run that ends badly without a failed test counts as one failure. */
async function runTests() {
  const folder = mkdtempSync(join(tmpdir(), 'weir-test-'));
  try {
    const file = join(folder, 'counts.json');
    const reporters = ['--reporter=dot', '--reporter=./scripts/count-reporter.mjs'];
    const code = await show('node_modules/.bin/vitest', ['run', ...reporters, ...args], {
      env: { WEIR_TEST_COUNTS: file },
    });
    const { passed = 0, failed = 0, skipped = 0 } = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
    return { passed, failed: Math.max(failed, code === 0 ? 0 : 1), skipped };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function setUpAndRun() {
  // Named tests set up an engine by themselves if they need one (vitest.config.ts).
  const ready = await setup({ docker: args.length === 0 });
  try {
    return await runTests();
  } finally {
    await ready[Symbol.asyncDispose]();
  }
}

const outcome = await setUpAndRun().catch((error) => {
  console.error(error instanceof SetupError ? error.message : error);
  return { passed: 0, failed: 1, skipped: 0 };
});
const skipped = outcome.skipped > 0 ? `, ${outcome.skipped} skipped` : '';
console.log(`${outcome.passed} passed, ${outcome.failed} failed${skipped}`);
process.exitCode = outcome.failed === 0 ? 0 : 1;
