import type { Clock } from '../../../lib/clock.ts';
import type { Hashes } from '../../../lib/crypto.ts';
import type { Logger } from '../../../lib/logger.ts';
import type { NodeId } from '../../../protocol/ids.ts';
import type { RunnerPolicy } from '../../policy.ts';

/** Which Docker network a workload joins: the value of `HostConfig.NetworkMode`. */
export interface WorkloadNetwork {
  networkMode: string;
}

/** What the engine shows a registry, in the engine's own words. */
export type RegistryCredential = { serveraddress: string } & (
  | { username: string; password: string }
  | { identitytoken: string }
);

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
  /** What the node's file lets workloads have. */
  policy: Pick<RunnerPolicy, 'allow' | 'mounts' | 'sharedDir' | 'scratchDir'>;
  /** Names of local images that may be used without a registry, such as `weir/`. */
  allowedLocalPrefixes: readonly string[];
  /** Hosts of registries that may be pulled from, such as `docker.io`. */
  registries: readonly string[];
  /** Asked at each pull; `null` and none: without a credential. */
  credential?: (registry: string) => Promise<RegistryCredential | null>;
  /** Folder of the Runner's own (0700): keeps which workloads it killed itself, over restarts. */
  privateDir: string;
  /** How many containers are started at a time; the rest queue. */
  maxStarts: number;
  /** Where the kernel tells of NUMA nodes: `/`, or a recorded tree. */
  root?: string;
}
