import { Option } from '@commander-js/extra-typings';
import type { FlagValue } from '../config/resolve.ts';
import { collect } from './arguments.ts';

const logLevels = ['debug', 'info', 'warn', 'error'] as const;

export const dataOption = (folder: string) =>
  new Option('--data <dir>', 'folder for all that it keeps').default(folder);

export const configOption = () =>
  new Option('--config <file>', 'configuration file; DIR/config.json or /etc/weir/config.json unless said');

/** Flags that stand for a key of the configuration have no default of their own: that is the key's. */
export const listenOption = (port: number) =>
  new Option('--listen <address:port>', `where it listens; port 0 picks a free one (default: 127.0.0.1:${port})`);

export const hostNameOption = () =>
  new Option('--host-name <name>', 'a name by which clients call it, besides its address (repeat)').argParser(collect);

export const insecureHttpOption = () =>
  new Option('--insecure-http', 'no TLS beyond this machine either: everybody on the way reads tokens and work');

export const logLevelOption = () =>
  new Option('--log-level <level>', 'the least that is logged (default: info)').choices(logLevels);

/** The keys that flags were given for, by path. */
export function flagValues(
  keys: Readonly<Record<string, { flag: string; value: unknown }>>,
): Record<string, FlagValue> {
  return Object.fromEntries(Object.entries(keys).filter(([, { value }]) => value !== undefined));
}
