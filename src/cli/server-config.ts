import { join } from 'node:path';
import { ConfigError } from '../config/fault.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { FlagValue } from '../config/resolve.ts';
import type { ServerProcess } from '../config/setting.ts';
import type { Cli } from './cli.ts';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';

interface Wanted {
  process: ServerProcess;
  data: string;
  /** Of `--config`. */
  config: string | undefined;
  flags?: Readonly<Record<string, FlagValue>>;
}

/**
 * The configuration of a process on this machine.
 * @throws CliError with every fault of it
 */
export async function serverConfig(
  cli: Pick<Cli, 'env' | 'folders'>,
  { process, data, config, flags = {} }: Wanted,
): Promise<LoadedConfig> {
  const { loadConfig } = await import('../config/load.ts');
  try {
    return await loadConfig({
      process,
      dataDir: data,
      file: config ?? null,
      systemFile: join(cli.folders.system, 'config.json'),
      env: cli.env,
      flags,
    });
  } catch (error) {
    if (error instanceof ConfigError) throw configFault(error);
    throw error;
  }
}

function configFault(error: ConfigError): CliError {
  const common = { exitCode: exitCodes.usage, code: 'config_invalid' };
  const [first, ...others] = error.faults;
  if (!first || others.length > 0) {
    const errors = error.faults.map(({ path, message, source, fix }) => ({
      pointer: path === '' ? source : path,
      message: `${message}${path === '' ? '' : ` (${source})`}; ${fix}`,
    }));
    return new CliError(`the configuration has ${errors.length} faults`, { ...common, errors });
  }
  const { path, message, source, fix } = first;
  const where = path === '' ? `${source} ${message}` : `${path} ${message}, in ${source}`;
  return new CliError(where, { ...common, fix });
}

/** The process that `--host`, `--runner` or `--up` names. */
export function processOf(flags: { host?: true | undefined; runner?: true | undefined }): ServerProcess {
  if (flags.host) return 'host';
  return flags.runner ? 'runner' : 'up';
}
