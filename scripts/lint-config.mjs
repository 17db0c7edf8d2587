// Makes .oxlintrc.json of the table of floors. `--check` fails when the file is stale.
// An override of oxlint replaces a rule's options instead of merging them, so each room gets all of its own.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { mayImport, rooms, typesOnly } from './floors.mjs';

const target = fileURLToPath(new URL('../.oxlintrc.json', import.meta.url));

const timers = ['setTimeout', 'setInterval', 'setImmediate', 'performance', 'crypto'];
// Globals of a page or worker that read like a forgotten variable.
const strays = ['name', 'self', 'origin', 'location', 'close', 'event', 'postMessage', 'onmessage'];
const clockModules = ['node:timers', 'node:timers/promises', 'node:perf_hooks', 'node:crypto'];
const allPackages = [...new Set(rooms.flatMap((room) => [...room.packages, ...room.types]))].sort();

const rules = {
  'typescript/no-floating-promises': 'error',
  'typescript/no-misused-promises': 'error',
  'typescript/await-thenable': 'error',
  // Ports are records of functions that use no `this`.
  'typescript/unbound-method': 'off',
  'typescript/switch-exhaustiveness-check': [
    'error',
    { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
  ],
  'typescript/no-explicit-any': 'error',
  'typescript/no-non-null-assertion': 'error',
  'typescript/only-throw-error': 'error',
  'typescript/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
  'typescript/no-unnecessary-type-assertion': 'error',
  // In a property the shrunk example is what decides which expectation holds.
  'vitest/no-conditional-expect': 'off',
  'import/no-cycle': ['error', { ignoreTypes: false }],
  'import/no-default-export': 'error',
  'unicorn/filename-case': ['error', { case: 'kebabCase' }],
  'unicorn/prefer-node-protocol': 'error',
  'max-lines': ['error', { max: 300, skipBlankLines: false, skipComments: false }],
  'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
  'max-params': ['error', { max: 3 }],
  'max-depth': ['error', { max: 3 }],
  'no-console': 'error',
  'no-var': 'error',
  'prefer-const': 'error',
  eqeqeq: ['error', 'smart'],
};

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/** How files of `room` would write a relative import of `other`, as a regular expression's tail. */
function tail(room, other) {
  const [here, there] = [room.path.split('/'), other.path.split('/')];
  const common = there.findIndex((part, index) => part !== here[index]);
  return common === -1 ? undefined : there.slice(common).map(escape).join('\\/');
}

function refuse(room, others, message) {
  const tails = [...new Set(others.map((other) => tail(room, other)).filter(Boolean))];
  if (tails.length === 0) return [];
  return [{ regex: `^(\\.\\/|(\\.\\.\\/)+)(${tails.join('|')})(\\/|$)`, message }];
}

function importRule(room) {
  const forbidden = rooms.filter((other) => !mayImport(room, other));
  const onlyTypes = rooms.filter((other) => mayImport(room, other) && typesOnly(room, other));
  const closed = allPackages.filter((name) => ![...room.packages, ...room.types].includes(name));
  const patterns = [
    ...refuse(room, forbidden, `${room.path} may not see that room (scripts/floors.mjs)`),
    ...refuse(room, onlyTypes, `${room.path} takes only types from there (scripts/floors.mjs)`).map((pattern) => ({
      ...pattern,
      allowTypeImports: true,
    })),
    ...packages(closed, `${room.path} does not use that package (scripts/floors.mjs)`),
    ...packages(room.types, `${room.path} takes only types of that package`).map((pattern) => ({
      ...pattern,
      allowTypeImports: true,
    })),
  ];
  if (!room.node) patterns.push({ regex: '^node:', message: `${room.path} runs without Node: pass a port in` });
  const paths = room.clocks
    ? []
    : clockModules.map((name) => ({
        name,
        message: 'time, randomness and keys are passed in (src/lib)',
      }));
  return ['error', { patterns, paths: [...paths, ...(room.portable ? linuxNames : [])] }];
}

const elsewhere = 'differs or is not there on macOS and Windows, where the command line runs too';
/** Of Node's modules what a portable room leaves alone. */
const linuxNames = [
  { name: 'node:child_process', message: elsewhere },
  { name: 'node:cluster', message: elsewhere },
  { name: 'node:fs', importNames: ['constants'], message: elsewhere },
  { name: 'node:fs/promises', importNames: ['constants'], message: elsewhere },
  { name: 'node:os', importNames: ['constants', 'userInfo'], message: elsewhere },
];

function packages(names, message) {
  return names.length === 0 ? [] : [{ regex: `^(${names.map(escape).join('|')})(\\/|$)`, message }];
}

function globalsRule(names) {
  const passedIn = 'time, randomness and keys are passed in (src/lib)';
  const message = (name) => (timers.includes(name) ? passedIn : 'a global of pages and workers');
  return ['error', ...names.map((name) => ({ name, message: message(name) }))];
}

const timeless = {
  'no-restricted-globals': globalsRule([...timers, ...strays]),
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'time comes through Clock (src/lib/clock.ts)' },
    { object: 'Math', property: 'random', message: 'randomness is passed in' },
    { object: 'AbortSignal', property: 'timeout', message: 'time comes through Clock' },
    { object: 'process', property: 'hrtime', message: 'time comes through Clock' },
  ],
};
const withClocks = {
  'no-restricted-globals': globalsRule(strays),
  'no-restricted-properties': 'off',
};

function override(room) {
  const inside = room.flat ? `${room.path}/*` : `${room.path}/**`;
  return {
    files: [room.path.endsWith('.ts') ? room.path : inside],
    rules: { 'no-restricted-imports': importRule(room), ...(room.clocks ? withClocks : {}) },
  };
}

const config = {
  $schema: './node_modules/oxlint/configuration_schema.json',
  plugins: ['typescript', 'unicorn', 'import', 'oxc', 'promise', 'vitest'],
  options: { typeAware: true },
  categories: { correctness: 'error' },
  env: { es2024: true, builtin: true },
  rules: { ...rules, ...timeless },
  // Parents before children: the last override that fits a file wins.
  overrides: [
    ...[...rooms].sort((a, b) => a.path.length - b.path.length).map(override),
    {
      // A chain of routes is a table: its types reach the clients only when it is one expression.
      files: ['src/host/**/*routes.ts'],
      rules: { 'max-lines-per-function': 'off' },
    },
    {
      files: ['src/cli/**', 'src/host/platform/worker/console-log.ts'],
      rules: { 'no-console': 'off' },
    },
    {
      files: ['test/**', 'scripts/**', '*.config.ts'],
      rules: {
        ...withClocks,
        // Tables of cases are long and plain.
        'max-lines': 'off',
        'max-lines-per-function': 'off',
        // The columns of a table of cases.
        'max-params': 'off',
        'no-console': 'off',
      },
    },
    {
      // A worker's entry is its default export.
      files: ['*.config.ts', 'scripts/count-reporter.mjs', 'src/host/platform/worker/main.ts'],
      rules: { 'import/no-default-export': 'off' },
    },
  ],
};

const text = `${JSON.stringify(config, null, 2)}\n`;
if (!process.argv.includes('--check')) {
  writeFileSync(target, text);
} else if (readFileSync(target, 'utf8') !== text) {
  console.error('.oxlintrc.json is stale: node scripts/lint-config.mjs');
  process.exitCode = 1;
}
