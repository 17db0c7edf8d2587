import { pathsOverlap } from '../lib/path-overlap.ts';
import type { Fault } from './fault.ts';
import { originText, type Origin } from './given.ts';
import type { Config } from './settings.ts';

interface Seen {
  resolved: readonly { path: string; origin: Origin }[];
  /** The folder of `--data`. */
  dataDir: string;
}

/** What is wrong between keys that are each right by themselves. */
export function crossFaults(config: Config, { resolved, dataDir }: Seen): Fault[] {
  const { host, runner } = config;
  const sourceOf = (path: string): string => {
    const one = resolved.find((setting) => setting.path === path);
    return one ? originText(one.origin) : path;
  };
  const faults: Fault[] = [];
  const tell = (path: string, message: string, fix: string): void =>
    void faults.push({ path, message, source: sourceOf(path), fix });
  if ((host.tls.cert === null) !== (host.tls.key === null)) {
    const [there, absent] = host.tls.cert === null ? ['key', 'cert'] : ['cert', 'key'];
    tell(`host.tls.${there}`, `needs host.tls.${absent}`, 'give both, or neither');
  }
  if (host.database.tokenFile !== null && !/^(?:libsql|https?):/i.test(host.database.url ?? '')) {
    tell('host.database.tokenFile', 'is for a server, and host.database.url names none', 'give both, or neither');
  }
  if (host.sync.suspect <= host.sync.hold) {
    tell('host.sync.suspect', 'must be longer than host.sync.hold', 'raise the one or lower the other');
  }
  if (host.sync.unreachable <= host.sync.suspect) {
    tell('host.sync.unreachable', 'must be longer than host.sync.suspect', 'raise the one or lower the other');
  }
  for (const [path, folder] of folders(runner)) {
    if (pathsOverlap(folder, dataDir)) {
      tell(path, `must not overlap the data folder ${dataDir}, not "${folder}"`, 'name another folder');
    }
    if (pathsOverlap(folder, runner.docker.socket)) {
      tell(path, `must not hold the Engine's socket ${runner.docker.socket}, not "${folder}"`, 'name another folder');
    }
  }
  return faults;
}

function folders({ mounts, sharedDir, scratchDir }: Config['runner']): (readonly [string, string])[] {
  return [
    ...mounts.map((mount) => ['runner.mounts', mount.path] as const),
    ...(sharedDir === null ? [] : [['runner.sharedDir', sharedDir] as const]),
    ...(scratchDir === null ? [] : [['runner.scratchDir', scratchDir] as const]),
  ];
}
