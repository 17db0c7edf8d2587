import type { ContainerCreateOptions, HostConfig } from 'dockerode';
import type { WorkloadSpec } from '../../../protocol/sync.ts';
import type { StartOrder } from '../backend.ts';
import { defaultCapabilities } from './allowed.ts';
import type { ShownFolder } from './folders.ts';
import { containerEnv } from './image-env.ts';
import { type LimitsInput, limitsOf } from './limits.ts';

export interface PostureInput {
  order: StartOrder;
  labels: Record<string, string>;
  imageEnv: readonly string[];
  networkMode: string;
  cgroupParent: string;
  limits: LimitsInput;
  folders: readonly ShownFolder[];
  /** When it names none. */
  workdir: string | null;
}

/** The body of `POST /containers/create`: the default posture, with nothing taken from the image unasked. */
export function createOptions(input: PostureInput): ContainerCreateOptions {
  const { ref, spec, env } = input.order;
  const workdir = spec.workdir ?? input.workdir;
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
    ...(workdir === null ? {} : { WorkingDir: workdir }),
    ...(spec.user === null ? {} : { User: spec.user }),
    StopSignal: spec.stopSignal,
    Healthcheck: { Test: ['NONE'] },
    AttachStdin: hasInput(spec),
    AttachStdout: false,
    AttachStderr: false,
    OpenStdin: hasInput(spec),
    StdinOnce: hasInput(spec),
    Tty: false,
    HostConfig: hostConfig(input),
  };
}

/** Without any, its input is empty from the start. */
export function hasInput({ stdin = '' }: Pick<WorkloadSpec, 'stdin'>): boolean {
  return stdin !== '';
}

/** The client library's types do not know this one. */
type FullHostConfig = HostConfig & { CgroupnsMode: 'private' };

function hostConfig(input: PostureInput): FullHostConfig {
  const { spec } = input.order;
  return {
    Init: true,
    Privileged: spec.privileged ?? false,
    CapDrop: ['ALL'],
    CapAdd: [...new Set([...defaultCapabilities, ...(spec.capabilities ?? [])])],
    SecurityOpt: ['no-new-privileges'],
    IpcMode: 'private',
    CgroupnsMode: 'private',
    NetworkMode: input.networkMode,
    PublishAllPorts: false,
    RestartPolicy: { Name: 'no' },
    AutoRemove: false,
    CgroupParent: input.cgroupParent,
    LogConfig: logConfig,
    ...limitsOf(spec, input.limits),
    ...devices(spec),
    ...mounts(input.folders),
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

function devices({ gpuUuids, devices: paths = [] }: WorkloadSpec): HostConfig {
  const given = paths.map((path) => ({ PathOnHost: path, PathInContainer: path, CgroupPermissions: 'rw' }));
  return {
    ...(given.length === 0 ? {} : { Devices: given }),
    ...(gpuUuids.length === 0
      ? {}
      : { DeviceRequests: [{ Driver: 'nvidia', DeviceIDs: [...gpuUuids], Capabilities: [['gpu']] }] }),
  };
}

/**
 * The sources are mounts of our own: the Engine keeps their `ro,nosuid,nodev`, which it cannot set itself. Its own
 * `ReadOnly` would mount them anew with `ro` alone.
 */
function mounts(folders: readonly ShownFolder[]): HostConfig {
  if (folders.length === 0) return {};
  const all = folders.map(({ source, target }) => ({
    Type: 'bind' as const,
    Source: source,
    Target: target,
    BindOptions: { Propagation: 'rprivate' as const },
  }));
  return { Mounts: all };
}

/** RFC 1123 label: a task's name may hold dots and underscores. */
function hostname(name: string, id: string): string {
  const label = name
    .replace(/[^A-Za-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63);
  return label === '' ? id.replaceAll('.', '-') : label;
}
