// @ts-check
// Writes docs/reference/ from the tables and the command line themselves; run through tsx.
//   node --import tsx scripts/reference.mjs           writes it
//   node --import tsx scripts/reference.mjs --check   fails when it is stale
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { exitCodes } from '../src/cli/exit-codes.ts';
import { namedSettings, variableOf } from '../src/config/settings.ts';
import { buildProgram } from '../src/cli/program.ts';
import { systemClock } from '../src/lib/clock.ts';
import { nodeRandom } from '../src/lib/node/hashes.ts';
import { problemStatus, problemTitle } from '../src/protocol/problem.ts';
import { reasonAdvice } from '../src/protocol/reason.ts';
import { endCauses, endedState } from '../src/protocol/task-end.ts';
import { variables } from './variables.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'docs/reference');
const made = '<!-- Made by scripts/reference.mjs: change what it is made of, then `npm run generate`. -->';

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly (string | number)[])[]} rows
 */
function table(head, rows) {
  const cell = (/** @type {string | number} */ text) => String(text).replaceAll('|', '\\|');
  const line = (/** @type {readonly (string | number)[]} */ cells) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** What an exit code of the command tells, by its name in the source. */
const exitMeaning = {
  ok: 'done',
  failure: 'it failed; `weir run`: the task did not succeed and has no code of its own',
  usage: 'the command line is not right',
  notFound: 'there is no such thing, or no longer',
  refused: 'the Host refused',
  unreachable: 'the Host cannot be reached',
  timedOut: '`weir task wait`: the time ran out',
  neverStarted: '`weir run`: the task ended without having started',
  interrupted: '`weir run`: left by Ctrl-C, the task goes on',
  brokenPipe: '`weir run`: nobody reads its output any more, the task goes on',
};

function errorsPage() {
  const errors = Object.entries(problemStatus).sort(([a, one], [b, two]) => one - two || (a < b ? -1 : 1));
  const causes = endCauses.map((cause) => {
    const state = endedState({ cause, exitCode: 1 });
    return [`\`${cause}\``, cause === 'exit' ? '`succeeded` with code 0, else `failed`' : `\`${state}\``];
  });
  const codes = Object.entries(exitCodes).map(([name, code]) => [
    code,
    exitMeaning[/** @type {keyof typeof exitMeaning} */ (name)],
  ]);
  return `# Codes

${made}

All of these lists are closed: a program may switch on them. They hold a few codes that nothing answers yet, so that a program can be complete.

## Errors of the API
The body is RFC 9457 (\`application/problem+json\`): \`type\`, \`title\`, \`status\`, \`code\`, \`detail\`, \`fix\` where something would change it, \`requestId\` (in the Host's log too), \`errors\` with a JSON pointer for each faulty field.

${table(
  ['status', 'code', 'title'],
  errors.map(([code, status]) => [
    status,
    `\`${code}\``,
    problemTitle[/** @type {keyof typeof problemTitle} */ (code)],
  ]),
)}

## Reasons of a task that has not ended
${table(
  ['code', 'what would change it'],
  Object.entries(reasonAdvice).map(([code, advice]) => [`\`${code}\``, advice]),
)}

## Causes of an end
${table(['cause', 'the task ends as'], causes)}

## Exit codes of \`weir\`
${table(['code', 'meaning'], codes)}

\`weir run\` ends with the task's own code, or with 128 + n when a signal ended it.
`;
}

/** A process for the command line to be built in: nothing of it is used but the folders and the output. */
function standIn() {
  const out = new PassThrough();
  const refuse = () => {
    throw new Error('the reference calls no command');
  };
  return {
    stdin: new PassThrough(),
    stdout: out,
    stderr: out,
    env: {},
    folders: { config: '~/.config/weir', data: '/var/lib/weir', system: '/etc/weir' },
    version: '0',
    clock: systemClock,
    random: nodeRandom,
    createFetch: refuse,
    onInterrupt: refuse,
    onTerminate: refuse,
    onReload: refuse,
    signal: new AbortController().signal,
    setExitCode: refuse,
  };
}

async function commandsPage() {
  const program = await buildProgram(standIn(), 'all');
  return `# The command line

${made}

\`weir help COMMAND\` says the same. The data folder is \`/var/lib/weir\` for root, else \`$XDG_DATA_HOME/weir\`.
${pagesOf(program, 'weir').join('')}`;
}

/**
 * @param {import('@commander-js/extra-typings').CommandUnknownOpts} command
 * @param {string} path
 * @returns {string[]}
 */
function pagesOf(command, path) {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => 100 });
  command.outputHelp();
  const lines = help
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd());
  const own = `\n## ${path}\n\`\`\`\n${lines.join('\n')}\n\`\`\`\n`;
  return [own, ...command.commands.flatMap((below) => pagesOf(below, `${path} ${below.name()}`))];
}

function variablesPage() {
  checkVariables();
  const rows = (/** @type {string} */ where) =>
    variables.filter((one) => one.where === where).map(({ name, meaning }) => [`\`${name}\``, meaning]);
  return `# Variables

${made}

## Read by \`weir\`
${table(['variable', 'meaning'], rows('weir'))}

Every key of the configuration has a variable too: [configuration.md](configuration.md).

\`WEIR_TOKEN\` and \`WEIR_JOIN_TOKEN\` are taken out of the process's environment at its start, before it has children.

## Read by the worker
\`WEIR_HOST_DATABASE_URL\` and \`WEIR_HOST_NAMES\` of [configuration.md](configuration.md), and:

${table(['variable', 'meaning'], rows('worker'))}

## Set in a task's container
${table(['variable', 'meaning'], rows('container'))}

A task cannot set variables that begin with \`WEIR_\` or \`NVIDIA_\`. Those that an image sets and that begin with \`LD_\` or \`NVIDIA_\` are blanked, but for \`NVIDIA_DRIVER_CAPABILITIES\` and \`NVIDIA_REQUIRE_*\`.
`;
}

/** Every variable that the source names is described, and every one described is there. */
function checkVariables() {
  const text = sourceFiles(join(root, 'src'))
    .map((file) => readFileSync(file, 'utf8').replace(/\/\*\*[\s\S]*?\*\/|\/\/.*$/gm, ''))
    .join('\n');
  const named = new Set(
    [...text.matchAll(/\benv\['([A-Z_]+)'\]|\b(WEIR_[A-Z_]*[A-Z])\b/g)].map(([, a, b]) => a ?? b ?? ''),
  );
  // Those of the configuration are in configuration.md.
  const configured = namedSettings.map(({ path }) => variableOf(path));
  const ignored = new Set(['PATH', 'WEIR_VERSION', ...configured]);
  const missing = [...named].filter((name) => !ignored.has(name) && !variables.some((one) => one.name === name));
  const stale = variables.filter(({ name }) => !text.includes(name)).map(({ name }) => name);
  if (missing.length > 0) fail(`scripts/variables.mjs does not describe ${missing.join(', ')}`);
  if (stale.length > 0) fail(`scripts/variables.mjs describes ${stale.join(', ')}, which the source does not know`);
}

/**
 * @param {string} path
 * @returns {string[]}
 */
function sourceFiles(path) {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) return sourceFiles(inside);
    return entry.name.endsWith('.ts') ? [inside] : [];
  });
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(message);
  process.exit(1);
}

const pages = {
  'errors.md': errorsPage(),
  'cli.md': await commandsPage(),
  'variables.md': variablesPage(),
};
mkdirSync(folder, { recursive: true });
for (const [name, wanted] of Object.entries(pages)) {
  const path = join(folder, name);
  if (existsSync(path) && readFileSync(path, 'utf8') === wanted) continue;
  if (process.argv.includes('--check')) fail(`docs/reference/${name} is stale: run \`npm run generate\``);
  writeFileSync(path, wanted);
}
