import * as v from 'valibot';
import { hostSettings, taskSettings } from './host-settings.ts';
import { runnerSettings } from './runner-settings.ts';
import {
  group,
  serverProcesses,
  setting,
  type ConfigOf,
  type Group,
  type ServerProcess,
  type Setting,
} from './setting.ts';
import { path } from './values.ts';

const usedBy = serverProcesses;

const logSettings = group('What the processes themselves say.', {
  level: setting({
    schema: v.picklist(['debug', 'info', 'warn', 'error'], 'must be debug, info, warn or error'),
    initial: 'info',
    form: 'text',
    about: 'the least that is logged: `debug`, `info`, `warn` or `error`',
    flags: { up: '--log-level', host: '--log-level', runner: '--log-level' },
    usedBy,
  }),
  file: setting({
    schema: v.nullable(path),
    initial: null,
    example: '/var/log/weir.log',
    form: 'text',
    about: 'file that is written instead of standard error, opened anew at SIGHUP (after logrotate)',
    usedBy,
  }),
  format: setting({
    schema: v.picklist(['json', 'text'], 'must be json or text'),
    initial: 'json',
    form: 'text',
    about: '`json`, a record a line, or `text` for people',
    usedBy,
  }),
});

/** Every key that there is. */
export const settings = group('', {
  host: hostSettings,
  tasks: taskSettings,
  runner: runnerSettings,
  log: logSettings,
});

/** What a process runs with. */
export type Config = ConfigOf<typeof settings.keys>;

/** A key by its path, such as `host.sync.hold`. */
export interface NamedSetting {
  readonly path: string;
  readonly setting: Setting;
}

export const namedSettings: readonly NamedSetting[] = named(settings, '');

export function settingsOf(process: ServerProcess): readonly NamedSetting[] {
  return namedSettings.filter(({ setting: one }) => one.usedBy.includes(process));
}

function named(from: Group, above: string): NamedSetting[] {
  return Object.entries(from.keys).flatMap(([key, one]) => {
    const at = above === '' ? key : `${above}.${key}`;
    return one.kind === 'setting' ? [{ path: at, setting: one }] : named(one, at);
  });
}

/** The name of a key in the environment: `host.publicUrl` has the words HOST, PUBLIC and URL. */
export function variableOf(settingPath: string): string {
  const words = settingPath.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).replaceAll('.', '_');
  return `WEIR_${words.toUpperCase()}`;
}

export function initialOf({ initial, initialOf: own }: Setting, process: ServerProcess): unknown {
  return own?.[process] ?? initial;
}
