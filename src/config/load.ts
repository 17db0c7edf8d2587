import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Environment } from './environment.ts';
import { ConfigError } from './fault.ts';
import type { ConfigText } from './file.ts';
import { resolveConfig, type FlagValue, type ResolvedConfig } from './resolve.ts';
import type { ServerProcess } from './setting.ts';
import type { Config } from './settings.ts';

export interface LoadOptions {
  process: ServerProcess;
  /** Folder of `--data`; `config.json` in it is read unless `file` is given. */
  dataDir: string;
  /** Of `--config`: it must be there. */
  file: string | null;
  /** Read when there is neither; `/etc/weir/config.json` on a machine. */
  systemFile: string;
  env: Environment;
  flags: Readonly<Record<string, FlagValue>>;
}

export interface LoadedConfig extends ResolvedConfig {
  /** The file that was read. */
  file: string | null;
  /** Sentences about what is open to others and should not be. */
  warnings: readonly string[];
}

const mostBytes = 1_048_576;

/**
 * Reads and checks the configuration of a process. Nothing in it is ever executed.
 * @throws ConfigError with every fault
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const dataDir = resolve(options.dataDir);
  const file = await findFile(options);
  const resolved = resolveConfig({ ...options, dataDir, file });
  const warnings = await openToOthers(file?.name ?? null, resolved.config);
  return { ...resolved, file: file?.name ?? null, warnings };
}

async function findFile({ file, dataDir, systemFile }: LoadOptions): Promise<ConfigText | null> {
  if (file !== null) {
    const found = await readText(resolve(file));
    if (found !== null) return found;
    const fix = 'make it with `weir config init FILE`, or leave --config out';
    throw new ConfigError([{ path: '', message: 'there is no such file', source: resolve(file), fix }]);
  }
  return (await readText(resolve(dataDir, 'config.json'))) ?? (await readText(systemFile));
}

async function readText(name: string): Promise<ConfigText | null> {
  try {
    const { size } = await stat(name);
    if (size > mostBytes) throw new Error(`it is larger than ${mostBytes} bytes`);
    return { name, text: new TextDecoder('utf-8', { fatal: true }).decode(await readFile(name)) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    const why = error instanceof Error ? error.message : String(error);
    const fault = {
      path: '',
      message: `cannot be read: ${why}`,
      source: name,
      fix: 'mend the file or its rights',
    };
    throw new ConfigError([fault]);
  }
}

/** Files whose rights let others on this machine read a secret or say what runs here. */
async function openToOthers(file: string | null, { host, runner }: Config): Promise<string[]> {
  const secrets = [host.tls.key, host.database.tokenFile, runner.registryCredentials].filter((path) => path !== null);
  const told = await Promise.all([
    ...secrets.map((path) => tooOpen(path, { bits: 0o077, what: 'can be read by others on this machine: chmod 600' })),
    ...(file === null
      ? []
      : [
          tooOpen(file, {
            bits: 0o022,
            what: 'can be written by others on this machine: chmod 644',
          }),
        ]),
  ]);
  return told.filter((sentence) => sentence !== null);
}

async function tooOpen(path: string, { bits, what }: { bits: number; what: string }): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (found === null || (found.mode & bits) === 0 || process.platform === 'win32') return null;
  return `${path} ${what}`;
}

/** Where a process looks when it is told of no file. */
export function usualFile(dataDir: string): string {
  return join(dataDir, 'config.json');
}
