import type { Clock } from '../../../lib/clock.ts';
import type { Hashes } from '../../../lib/crypto.ts';
import type { Logger } from '../../../lib/logger.ts';
import type { NodeId } from '../../../protocol/ids.ts';

/** Which Docker network a workload joins: the value of `HostConfig.NetworkMode`. */
export interface WorkloadNetwork {
  networkMode: string;
}

export interface DockerBackendOptions {
  /** The Engine's unix socket. */
  socketPath: string;
  /** Id of the cluster, part of what says that a container is ours. */
  cluster: string;
  node: NodeId;
  /** Secret of this Runner that survives a rekey: without it labels prove nothing. */
  macKey: Uint8Array;
  hashes: Hashes;
  clock: Clock;
  log: Logger;
  network: () => Promise<WorkloadNetwork>;
  /** Names of local images that may be used without a registry, such as `weir/`. */
  allowedLocalPrefixes: readonly string[];
  /** Hosts of registries that may be pulled from, such as `docker.io`. */
  registries: readonly string[];
  /** Folder of the Runner's own (0700): keeps which workloads it killed itself, over restarts. */
  privateDir: string;
  /** How many containers are started at a time; the rest queue. */
  maxStarts: number;
}
