// @ts-check
// Writes docs/reference/configuration.md from the table of keys; run through tsx.
//   node --import tsx scripts/reference-configuration.mjs           writes it
//   node --import tsx scripts/reference-configuration.mjs --check   fails when it is stale
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serverProcesses } from '../src/config/setting.ts';
import { initialOf, settings, variableOf } from '../src/config/settings.ts';

const target = fileURLToPath(new URL('../docs/reference/configuration.md', import.meta.url));

const head = `# Configuration

<!-- Made by scripts/reference-configuration.mjs: change what it is made of, then \`npm run generate\`. -->

\`weir up\`, \`weir host\` and \`weir runner\` read one file: that of \`--config\`, else \`config.json\` in the data folder, else \`/etc/weir/config.json\`. It is JSON; comments and commas at the end are allowed. \`weir config init\` writes one with every key, \`weir config check\` lists what is wrong with one, \`weir config show\` says where each value comes from.

A variable of the environment wins over the file, a flag over both; a list or a map is taken whole. An unknown key, a variable that begins like one of these and is none, and a value of the wrong form are refused, and the process does not start. No key holds a secret, only names of files that do.

- A duration is text such as \`30s\`, \`1h30m\` or \`7d\`, or whole milliseconds; a size is text such as \`256MiB\` or \`20G\`, or whole bytes.
- In a variable a list is \`a,b\`, a map \`k=v,k2=v2\`, a switch \`true\` or \`false\`; lists and maps may be JSON as well. An empty variable is one that is not set.
- \`weir up\` reads the keys of the Host and those of the Runner. A process takes no notice of keys that are not its own.
- A change takes effect at the next start. SIGHUP reads the certificate anew and opens the log file anew.
`;

/** @param {unknown} value */
const shown = (value) => (value === null ? '–' : `\`${JSON.stringify(value)}\``);

/**
 * @param {string} path
 * @param {import('../src/config/setting.ts').Setting} setting
 */
function entry(path, setting) {
  const initials = [...new Set(serverProcesses.map((name) => shown(initialOf(setting, name))))];
  const initial = initials.length === 1 ? initials[0] : perProcess(setting);
  const flags = [...new Set(Object.values(setting.flags ?? {}))].map((flag) => `\`${flag}\``);
  const on = Object.keys(setting.flags ?? {}).map((name) => `\`weir ${name}\``);
  const lines = [
    `**\`${path}\`** · default ${initial} · \`${variableOf(path)}\`${flags.length === 0 ? '' : ` · ${flags.join(', ')} of ${on.join(', ')}`}`,
    `${setting.about.charAt(0).toUpperCase()}${setting.about.slice(1)}.`,
  ];
  if (setting.example !== undefined) lines.push(`Example: ${shown(setting.example)}`);
  return `\n${lines.join('  \n')}\n`;
}

/** @param {import('../src/config/setting.ts').Setting} setting */
function perProcess(setting) {
  return setting.usedBy.map((name) => `${shown(initialOf(setting, name))} (\`weir ${name}\`)`).join(', ');
}

/**
 * @param {import('../src/config/setting.ts').Group} group
 * @param {string} above
 * @returns {string}
 */
function section(group, above) {
  const entries = Object.entries(group.keys);
  const own = entries.flatMap(([key, one]) =>
    one.kind === 'setting' ? [entry(above === '' ? key : `${above}.${key}`, one)] : [],
  );
  const below = entries.flatMap(([key, one]) => {
    if (one.kind === 'setting') return [];
    const path = above === '' ? key : `${above}.${key}`;
    const level = '#'.repeat(path.split('.').length + 1);
    return [`\n${level} ${path}\n${one.about}\n${section(one, path)}`];
  });
  return [...own, ...below].join('');
}

const wanted = `${head}${section(settings, '')}`;
const current = existsSync(target) ? readFileSync(target, 'utf8') : '';
if (current !== wanted && process.argv.includes('--check')) {
  console.error('docs/reference/configuration.md is stale: run `npm run generate`');
  process.exit(1);
}
if (current !== wanted) {
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, wanted);
}
