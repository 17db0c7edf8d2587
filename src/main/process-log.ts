import { createLogger, type ProcessLogger } from '../lib/node/logger.ts';
import { createWake, type Wake } from '../lib/wake.ts';
import type { ProcessOptions } from './options.ts';

export interface ProcessLog extends Disposable {
  log: ProcessLogger;
  /** Raised at each SIGHUP. */
  reload: Wake;
}

/** The log of a process, with what its configuration is to be blamed for; at SIGHUP its file is opened anew. */
export function openProcessLog({
  config,
  warnings,
  onReload,
}: Pick<ProcessOptions, 'config' | 'warnings' | 'onReload'>): ProcessLog {
  const log = createLogger(config.log);
  const reload = createWake();
  const off = onReload(() => {
    log.reopen();
    reload.raise();
  });
  for (const warning of warnings) log.warn({}, warning);
  return { log, reload, [Symbol.dispose]: off };
}
