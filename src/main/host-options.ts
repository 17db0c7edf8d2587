import type { Config } from '../config/settings.ts';
import type { HostConfig } from '../host/config.ts';
import type { HostOptions } from '../host/platform/node/start-host.ts';

/** The configuration in the words of the Host. */
export function hostOptions({
  host,
  tasks,
}: Config): Pick<HostOptions, 'listen' | 'hostNames' | 'tlsFiles' | 'databaseUrl' | 'databaseTokenFile' | 'config'> {
  const { cert, key } = host.tls;
  const { url, tokenFile } = host.database;
  const ofUrl = host.publicUrl === null ? [] : [new URL(host.publicUrl).hostname];
  return {
    listen: host.listen,
    hostNames: [...host.names, ...ofUrl],
    tlsFiles: cert === null || key === null ? null : { cert, key },
    ...(url === null ? {} : { databaseUrl: url }),
    ...(tokenFile === null ? {} : { databaseTokenFile: tokenFile }),
    config: hostConfig({ host, tasks }),
  };
}

function hostConfig({ host: { sync, retention }, tasks }: Pick<Config, 'host' | 'tasks'>): Partial<HostConfig> {
  return {
    syncHoldMs: sync.hold,
    suspectMs: sync.suspect,
    unreachableMs: sync.unreachable,
    judgeGraceMs: sync.grace,
    orphanGraceMs: sync.orphanGrace,
    eventRetentionMs: retention.events,
    eventRetentionRows: retention.eventRows,
    idempotencyMs: retention.idempotencyKeys,
    defaultLimitMs: tasks.defaultTimeLimit,
    maxBatch: tasks.maxBatch,
    defaultImage: tasks.defaultImage,
    defaultLeaseMs: tasks.requeueLease,
  };
}
