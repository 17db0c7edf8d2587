import { ConfigError, type Fault } from '../../src/config/fault.ts';
import { resolveConfig, type ResolvedConfig, type Sources } from '../../src/config/resolve.ts';

/** What a process makes of these sources and nothing else. */
export function resolved(parts: Partial<Omit<Sources, 'file'>> & { text?: string } = {}): ResolvedConfig {
  const { text, ...sources } = parts;
  return resolveConfig({
    process: 'up',
    dataDir: '/var/lib/weir',
    file: text === undefined ? null : { name: 'f', text },
    env: {},
    flags: {},
    ...sources,
  });
}

export function faultsOf(parts: Parameters<typeof resolved>[0]): readonly Fault[] {
  try {
    resolved(parts);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

/** The file that gives one key a value. */
export function fileWith(path: string, value: unknown): string {
  return JSON.stringify(path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value));
}

/** A right value for each key, which is not its default. */
export const otherValues: Readonly<Record<string, unknown>> = {
  'host.listen': '0.0.0.0:9000',
  'host.names': ['weir.example'],
  'host.publicUrl': 'https://weir.example:8000',
  'host.tls.cert': '/tls/cert.pem',
  'host.tls.key': '/tls/key.pem',
  'host.database.url': 'libsql://db.example',
  'host.database.tokenFile': '/db.token',
  'host.sync.hold': '5s',
  'host.sync.suspect': '40s',
  'host.sync.unreachable': '2m',
  'host.sync.grace': '2m',
  'host.sync.orphanGrace': '20m',
  'host.retention.events': '2d',
  'host.retention.eventRows': 5000,
  'host.retention.idempotencyKeys': '2h',
  'tasks.defaultTimeLimit': '2h',
  'tasks.maxBatch': 10,
  'tasks.defaultImage': 'debian:12',
  'tasks.requeueLease': '2h',
  'runner.host': 'https://weir.example:8000',
  'runner.joinFile': '/join.token',
  'runner.name': 'gpu-3',
  'runner.labels': { rack: '4' },
  'runner.listen': '0.0.0.0:9001',
  'runner.advertise': '10.0.0.7:8001',
  'runner.subnet': '10.88.0.0/16',
  'runner.registries': ['registry.example:5000'],
  'runner.registryCredentials': '/etc/weir/registries.json',
  'runner.localImagePrefixes': ['lab/'],
  'runner.sharedDir': '/srv/shared',
  'runner.scratchDir': '/scratch',
  'runner.mounts': [{ name: 'data', path: '/srv/data' }],
  'runner.allow.privileged': true,
  'runner.allow.hostNetwork': true,
  'runner.allow.devices': ['/dev/fuse'],
  'runner.allow.capabilities': ['SYS_PTRACE'],
  'runner.allow.unisolated': true,
  'runner.docker.socket': '/run/other.sock',
  'runner.logs.capBytes': '1MiB',
  'runner.logs.keepFor': '1d',
  'runner.logs.keepBytes': '1GiB',
  'log.level': 'debug',
  'log.file': '/var/log/weir.log',
  'log.format': 'text',
};

/** Two keys that are right together only. */
export const together: Readonly<Record<string, Record<string, unknown>>> = {
  'host.tls.cert': { 'host.tls.key': '/tls/key.pem' },
  'host.tls.key': { 'host.tls.cert': '/tls/cert.pem' },
  'host.database.tokenFile': { 'host.database.url': 'libsql://db.example' },
};
