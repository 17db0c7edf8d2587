import type { ContainerCreateOptions, HostConfig } from 'dockerode';
import type { WorkloadSpec } from '../../../protocol/sync.ts';
import type { StartOrder } from '../backend.ts';
import { containerEnv } from './image-env.ts';

/** Docker's own list without NET_RAW, MKNOD and AUDIT_WRITE. */
const capabilities = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'NET_BIND_SERVICE',
  'SYS_CHROOT',
  'SETFCAP',
];

const mostProcesses = 4096;
const leastShmBytes = 64 * 1024 * 1024;
const unlimitedShmBytes = 1024 * 1024 * 1024;
/** The engine refuses less than a hundredth of a core. */
const leastCpuMilli = 10;

export interface PostureInput {
  order: StartOrder;
  labels: Record<string, string>;
  imageEnv: readonly string[];
  networkMode: string;
  cgroupParent: string;
  /** The most open files that the engine can give. */
  nofileHard: number;
}

/** The body of `POST /containers/create`: the default posture, with nothing taken from the image unasked. */
export function createOptions(input: PostureInput): ContainerCreateOptions {
  const { ref, spec, env } = input.order;
  return {
    Image: spec.image,
    Hostname: hostname(spec.name, ref.task),
    Labels: input.labels,
    Env: containerEnv({
      imageEnv: input.imageEnv,
      spec: spec.env,
      weir: env,
      gpuUuids: spec.gpuUuids,
    }),
    ...(spec.argv === null ? {} : { Entrypoint: spec.argv.slice(0, 1), Cmd: spec.argv.slice(1) }),
    ...(spec.workdir === null ? {} : { WorkingDir: spec.workdir }),
    ...(spec.user === null ? {} : { User: spec.user }),
    StopSignal: spec.stopSignal,
    Healthcheck: { Test: ['NONE'] },
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    OpenStdin: false,
    Tty: false,
    HostConfig: hostConfig(input),
  };
}

/** The client library's types do not know this one. */
type FullHostConfig = HostConfig & { CgroupnsMode: 'private' };

function hostConfig(input: PostureInput): FullHostConfig {
  const { spec } = input.order;
  return {
    Init: true,
    Privileged: false,
    CapDrop: ['ALL'],
    CapAdd: capabilities,
    SecurityOpt: ['no-new-privileges'],
    IpcMode: 'private',
    CgroupnsMode: 'private',
    NetworkMode: input.networkMode,
    PublishAllPorts: false,
    RestartPolicy: { Name: 'no' },
    AutoRemove: false,
    CgroupParent: input.cgroupParent,
    LogConfig: logConfig,
    ...limits(spec, input.nofileHard),
    ...devices(spec.gpuUuids),
  };
}

/**
 * The Runner tails the file by offset, which a rotation would break. The engine adds what its own configuration
 * says of a driver, so each of its options that rotates, compresses or drops is named here.
 */
const logConfig = {
  Type: 'json-file',
  Config: { 'max-size': '1024t', 'max-file': '1', compress: 'false', mode: 'blocking' },
};

function limits(spec: WorkloadSpec, engineNofile: number): HostConfig {
  const nofileHard = Math.min(524_288, engineNofile);
  return {
    // Equal, so that there is no swap on top; 0 means none of both.
    ...(spec.memoryBytes > 0 ? { Memory: spec.memoryBytes, MemorySwap: spec.memoryBytes } : {}),
    ...(spec.cpuMilli > 0
      ? { NanoCpus: Math.max(spec.cpuMilli, leastCpuMilli) * 1_000_000 }
      : { CpuShares: 64 }),
    PidsLimit: mostProcesses,
    ShmSize:
      spec.memoryBytes > 0
        ? Math.max(leastShmBytes, Math.floor(spec.memoryBytes / 2))
        : unlimitedShmBytes,
    Ulimits: [
      { Name: 'nofile', Soft: Math.min(65_536, nofileHard), Hard: nofileHard },
      { Name: 'core', Soft: 0, Hard: 0 },
    ],
  };
}

function devices(gpuUuids: readonly string[]): HostConfig {
  if (gpuUuids.length === 0) return {};
  return {
    DeviceRequests: [{ Driver: 'nvidia', DeviceIDs: [...gpuUuids], Capabilities: [['gpu']] }],
  };
}

/** RFC 1123 label: a task's name may hold dots and underscores. */
function hostname(name: string, id: string): string {
  const label = name
    .replace(/[^A-Za-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63);
  return label === '' ? id.replaceAll('.', '-') : label;
}
