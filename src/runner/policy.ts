/** A folder of this node that workloads may see by its name. */
export interface NodeMount {
  name: string;
  path: string;
  readOnly: boolean;
  /** Every workload gets it, asked for or not. */
  everyWorkload: boolean;
  /** Where a workload finds it unless it says. */
  target: string;
}

/** What the operator of this machine lets workloads have. It has the last word: the Host can only narrow it. */
export interface RunnerPolicy {
  /** Hosts of registries that images may come from, such as `docker.io`. */
  registries: readonly string[];
  /** File with credentials for them, as `docker login` writes it. */
  registryCredentials: string | null;
  /** Beginnings of the names of local images that need no registry, such as `weir/`. */
  localImagePrefixes: readonly string[];
  allow: {
    privileged: boolean;
    hostNetwork: boolean;
    /** Paths such as `/dev/fuse`. */
    devices: readonly string[];
    /** Names without `CAP_`. */
    capabilities: readonly string[];
    /** Run workloads also while they cannot be kept apart from the node and from each other. */
    unisolated: boolean;
  };
  mounts: readonly NodeMount[];
  /** Mounted at `/shared`. */
  sharedDir: string | null;
  /** Holds a folder for each attempt, mounted at `/scratch`. */
  scratchDir: string | null;
  /** Of the containers' network; `null`: the Engine picks one. */
  subnet: string | null;
}

/** Where nobody said anything. */
export const defaultPolicy: RunnerPolicy = {
  registries: ['docker.io', 'ghcr.io', 'quay.io', 'nvcr.io'],
  registryCredentials: null,
  localImagePrefixes: ['weir/'],
  allow: { privileged: false, hostNetwork: false, devices: [], capabilities: [], unisolated: false },
  mounts: [],
  sharedDir: null,
  scratchDir: null,
  subnet: null,
};
