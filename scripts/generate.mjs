// @ts-check
// Makes the files that are made of others; `--check` fails when one is stale.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { show } from './run.mjs';

for (const name of ['lint-config.mjs', 'migrations.mjs', 'reference.mjs', 'reference-configuration.mjs']) {
  const script = fileURLToPath(new URL(name, import.meta.url));
  if (!existsSync(script)) continue;
  // tsx: the reference is made of the source's own tables.
  const code = await show(process.execPath, ['--import', 'tsx', script, ...process.argv.slice(2)]);
  if (code !== 0) process.exitCode = code;
}
