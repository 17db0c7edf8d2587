import type { Config } from '../config/settings.ts';
import type { RunnerPolicy } from '../runner/policy.ts';
import type { RunnerOptions } from '../runner/options.ts';

/** The configuration in the words of the Runner. */
export function runnerOptions({
  runner,
}: Config): Pick<RunnerOptions, 'name' | 'labels' | 'listen' | 'advertise' | 'socketPath' | 'policy' | 'logs'> {
  const { name, labels, listen, advertise, docker, logs } = runner;
  return {
    name,
    labels,
    listen,
    advertise,
    socketPath: docker.socket,
    policy: runnerPolicy(runner),
    logs: {
      capBytes: logs.capBytes,
      retention: { maxAgeMs: logs.keepFor, maxTotalBytes: logs.keepBytes },
    },
  };
}

function runnerPolicy({
  registries,
  registryCredentials,
  localImagePrefixes,
  allow,
  mounts,
  sharedDir,
  scratchDir,
  subnet,
}: Config['runner']): RunnerPolicy {
  return {
    registries,
    registryCredentials,
    localImagePrefixes,
    allow,
    mounts,
    sharedDir,
    scratchDir,
    subnet,
  };
}
