import type Docker from 'dockerode';
import type { BackendWorkload, WorkloadPhase, WorkloadRef } from '../backend.ts';
import { askUnless } from './engine.ts';
import { parseTimeMs } from './engine-time.ts';
import type { ContainerIdentity, Identity } from './identity.ts';
import { containerName, readIdentity } from './identity.ts';

/** A container of ours as the engine described it. */
export interface Container extends ContainerIdentity {
  id: string;
  phase: WorkloadPhase;
  startedAtMs: number | null;
  endedAtMs: number | null;
  exitCode: number;
  oomKilled: boolean;
  limitBytes: number | null;
  stopSignal: string | null;
  image: string;
  /** The engine's file of its output; empty before the first start. */
  logPath: string;
}

export function phaseOf(status: string): WorkloadPhase {
  switch (status) {
    case 'created':
      return 'created';
    case 'paused':
      return 'paused';
    case 'running':
    case 'restarting':
      return 'running';
    default:
      return 'ended';
  }
}

/** Asks the engine for a container by name or id; `null` when there is none or it is not ours. */
export async function inspectContainer(
  parts: { docker: Docker; identity: Identity },
  nameOrId: string,
  signal: AbortSignal,
): Promise<Container | null> {
  const call = parts.docker.getContainer(nameOrId).inspect({ abortSignal: signal });
  const info = await askUnless(call, [404], signal);
  return info === null ? null : readContainer(parts.identity, info);
}

/** What stands under the name of an attempt: ours, somebody else's, or nothing that can be seen. */
export async function findStanding(
  parts: { docker: Docker; identity: Identity },
  ref: WorkloadRef,
  signal: AbortSignal,
): Promise<Container | 'foreign' | null> {
  const call = parts.docker.getContainer(containerName(ref)).inspect({ abortSignal: signal });
  const info = await askUnless(call, [404], signal);
  return info === null ? null : (readContainer(parts.identity, info) ?? 'foreign');
}

/** As `inspectContainer`, for the container of an attempt. */
export async function findContainer(
  parts: { docker: Docker; identity: Identity },
  ref: WorkloadRef,
  signal: AbortSignal,
): Promise<Container | null> {
  return inspectContainer(parts, containerName(ref), signal);
}

function readContainer(identity: Identity, info: Docker.ContainerInspectInfo): Container | null {
  const ours = readIdentity(identity, info.Name.replace(/^\//, ''), info.Config.Labels);
  if (ours === null) return null;
  const { State: state, HostConfig: host } = info;
  const stopSignal = 'StopSignal' in info.Config ? info.Config.StopSignal : null;
  return {
    ...ours,
    id: info.Id,
    phase: phaseOf(state.Status),
    startedAtMs: parseTimeMs(state.StartedAt),
    endedAtMs: parseTimeMs(state.FinishedAt),
    exitCode: state.ExitCode,
    oomKilled: state.OOMKilled,
    limitBytes: host.Memory === undefined || host.Memory === 0 ? null : host.Memory,
    stopSignal: typeof stopSignal === 'string' ? stopSignal : null,
    image: info.Config.Image,
    logPath: info.LogPath,
  };
}

/** What callers of the backend see of it. */
export function workloadOf(container: Container): BackendWorkload {
  const { ref, generation, owner, phase, startedAtMs } = container;
  return { ref, generation, owner, phase, startedAtMs };
}
