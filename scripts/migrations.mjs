// @ts-check
// Turns migrations/*.sql into the module that the Host applies at start.
//   node scripts/migrations.mjs           writes it
//   node scripts/migrations.mjs --check   fails when it is stale
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../migrations/', import.meta.url));
const target = fileURLToPath(new URL('../src/host/store/migrations.generated.ts', import.meta.url));

const files = existsSync(folder)
  ? readdirSync(folder)
      .filter((file) => file.endsWith('.sql'))
      .sort()
  : [];
for (const [index, file] of files.entries()) {
  if (/^\d{4}_[a-z0-9_-]+\.sql$/.test(file) && Number(file.slice(0, 4)) === index) continue;
  fail(`migrations/${file} is not number ${String(index).padStart(4, '0')}_name.sql: the numbers have no gaps`);
}
const wanted = render(files.map(readMigration));
const present = existsSync(target) ? readFileSync(target, 'utf8') : '';

if (wanted === present) process.exit(0);
if (process.argv.includes('--check')) {
  fail('src/host/store/migrations.generated.ts is stale: run `node scripts/migrations.mjs`');
}
writeFileSync(target, wanted);

/** @param {string} file */
function readMigration(file) {
  const text = readFileSync(folder + file, 'utf8');
  const statements = text
    .split('--> statement-breakpoint')
    .map((part) => part.trim())
    .filter(Boolean);
  const hash = createHash('sha256').update(text).digest('hex');
  return { name: file.slice(0, -'.sql'.length), hash, statements };
}

/** @param {{ name: string, hash: string, statements: string[] }[]} migrations */
function render(migrations) {
  return `// Made by scripts/migrations.mjs from migrations/*.sql.
import type { Migration } from './migrate.ts';

export const migrations: readonly Migration[] = ${JSON.stringify(migrations, null, 2)};
`;
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(message);
  process.exit(1);
}
