import * as v from 'valibot';
import { shorten } from '../lib/text.ts';
import { crossFaults } from './cross-checks.ts';
import { readEnvironment, readForeign, type Environment } from './environment.ts';
import { ConfigError, type Fault } from './fault.ts';
import { readConfigText, type ConfigText } from './file.ts';
import { originText, type Given, type Origin } from './given.ts';
import type { Group, ServerProcess, Setting } from './setting.ts';
import { initialOf, namedSettings, settings, variableOf, type Config } from './settings.ts';

/** What a command line says for a key. */
export interface FlagValue {
  flag: string;
  value: unknown;
}

export interface Sources {
  process: ServerProcess;
  /** The folder of `--data`: no workload gets it. */
  dataDir: string;
  file: ConfigText | null;
  env: Environment;
  /** By the path of the key. */
  flags: Readonly<Record<string, FlagValue>>;
}

/** The value of one key, as somebody wrote it, and who that was. */
export interface ResolvedSetting {
  path: string;
  setting: Setting;
  written: unknown;
  origin: Origin;
}

export interface ResolvedConfig {
  config: Config;
  settings: readonly ResolvedSetting[];
}

/**
 * Puts the sources together, key by key: defaults < file < variables < flags. A list or a map is taken whole.
 * @throws ConfigError with every fault of every source, those of values that another source replaces too
 */
export function resolveConfig(sources: Sources): ResolvedConfig {
  const file = sources.file ? readConfigText(sources.file) : { given: [], faults: [] };
  const variables = readEnvironment(sources.env);
  const flags = Object.entries(sources.flags).map(([path, { flag, value }]): Given => ({
    path,
    value,
    origin: { kind: 'flag', flag },
  }));
  const given = [...readForeign(sources.env), ...file.given, ...variables.given, ...flags];
  const faults = [...file.faults, ...variables.faults, ...given.flatMap(faultsOf)];
  if (faults.length > 0) throw new ConfigError(faults);
  const resolved = namedSettings.map(({ path, setting }): ResolvedSetting => {
    const last = given.findLast((one) => one.path === path);
    const initial = {
      value: initialOf(setting, sources.process),
      origin: { kind: 'default' } as const,
    };
    const { value, origin } = last ?? initial;
    return { path, setting, written: value, origin };
  });
  const config = build(settings, resolved, '') as Config;
  const crossed = crossFaults(config, { resolved, dataDir: sources.dataDir });
  if (crossed.length > 0) throw new ConfigError(crossed);
  return { config, settings: resolved };
}

function build(group: Group, resolved: readonly ResolvedSetting[], above: string): unknown {
  const entries = Object.entries(group.keys).map(([key, one]) => {
    const path = above === '' ? key : `${above}.${key}`;
    if (one.kind === 'group') return [key, build(one, resolved, path)];
    return [key, v.parse(one.schema, resolved.find((value) => value.path === path)?.written)];
  });
  return Object.fromEntries(entries);
}

function faultsOf(given: Given): Fault[] {
  const setting = namedSettings.find(({ path }) => path === given.path)?.setting;
  if (!setting) throw new Error(`${given.path} is not a key of the configuration`);
  const { issues = [] } = v.safeParse(setting.schema, given.value);
  return issues.map((issue) => faultOf(issue, { given, setting }));
}

function faultOf(issue: v.BaseIssue<unknown>, { given, setting }: { given: Given; setting: Setting }): Fault {
  const inner = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
  return {
    path: [given.path, ...inner].join('.'),
    message: messageOf(issue, setting),
    source: given.placeOf?.(inner) ?? originText(given.origin),
    fix: fixOf(given, setting),
  };
}

function messageOf(issue: v.BaseIssue<unknown>, { quiet }: Setting): string {
  if (issue.kind === 'schema' && issue.expected === 'never') return 'is not a key';
  if (issue.input === undefined) return 'is missing';
  const shown = shorten(JSON.stringify(issue.input), 80);
  const ours = !issue.message.startsWith('Invalid ');
  const must = ours ? issue.message : `must be ${issue.expected ?? 'something else'}`;
  return quiet || must.includes(shown) ? must : `${must}, not ${shown}`;
}

/** The form of a value, as it is written where this one was given. */
function fixOf({ path, origin }: Given, { example, initial, form }: Setting): string {
  const value = example ?? initial;
  switch (origin.kind) {
    case 'file':
      return `for example "${path.split('.').at(-1) ?? path}": ${JSON.stringify(value)}`;
    case 'flag':
      return `for example ${origin.flag} ${asWord(value)}`;
    default:
      return `for example ${variableOf(path)}=${form === 'json' ? JSON.stringify(value) : asWord(value)}`;
  }
}

function asWord(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(',');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([key, one]) => `${key}=${String(one)}`)
    .join(',');
}
