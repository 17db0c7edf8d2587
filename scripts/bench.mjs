// @ts-check
// npm run bench -- NAME [--json FILE]: runs test/bench/NAME.ts and prints what it measured.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setup } from './setup.mjs';

/**
 * `baseline` is a value in the same unit, or the name of another row; `ratio` is value ÷ baseline: smaller or larger is better as the row's name says.
 * @typedef {{ name: string, value: number, unit: string, baseline?: number | string, ratio?: number }} Row
 */

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const folder = 'test/bench';
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' } },
});
const names = existsSync(folder)
  ? readdirSync(folder).flatMap((file) => (file.endsWith('.ts') ? [file.slice(0, -3)] : []))
  : [];
const [name] = positionals;

if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run bench -- NAME [--json FILE]; NAME is one of: ${names.join(', ') || 'none yet'}`);
  process.exitCode = 2;
} else {
  await setup({ docker: false });
  const { tsImport } = await import('tsx/esm/api');
  const { run } = await tsImport(`../${folder}/${name}.ts`, import.meta.url);
  /** @type {{ rows: Row[] }} */
  const { rows } = await run();
  print(rows);
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ name, node: process.version, rows }, null, 2)}\n`);
  }
}

/** @param {readonly Row[]} rows */
function print(rows) {
  const cells = rows.map((row) => [
    row.name,
    figure(row.value),
    row.unit,
    row.baseline === undefined ? '' : figure(row.baseline),
    row.ratio === undefined ? '' : `×${row.ratio.toFixed(2)}`,
  ]);
  const table = [['measure', 'value', 'unit', 'baseline', 'ratio'], ...cells];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((line) => (line[column] ?? '').length)));
  for (const line of table) {
    const padded = line.map((cell, column) =>
      column === 0 || column === 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    console.log(padded.join('  ').trimEnd());
  }
}

/** @param {number | string} value */
function figure(value) {
  if (typeof value === 'string') return value;
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
