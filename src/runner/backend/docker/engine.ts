import { Agent } from 'node:http';
import type { DockerOptions } from 'dockerode';
import Docker from 'dockerode';
import { BackendError } from '../backend.ts';

export interface EngineClient {
  docker: Docker;
  close(): void;
}

/** A client over the unix socket with connections of its own that are kept alive. */
export function createEngineClient(socketPath: string): EngineClient {
  const agent = new Agent({ keepAlive: true });
  // Its types do not know the agent, which it hands to Node's client.
  const options: DockerOptions & { agent: Agent } = { socketPath, agent };
  return {
    docker: new Docker(options),
    close: () => agent.destroy(),
  };
}

const connectionCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EACCES', 'EPIPE', 'ETIMEDOUT']);

/** HTTP status of the engine's refusal; `null` when it did not answer. */
export function statusOf(error: unknown): number | null {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : null;
  return typeof status === 'number' ? status : null;
}

/** The engine's own sentence, without what the client library puts around it. */
export function engineSentence(error: unknown): string {
  const json = error instanceof Error && 'json' in error ? error.json : null;
  const message = typeof json === 'object' && json !== null && 'message' in json ? json.message : null;
  if (typeof message === 'string') return message;
  return error instanceof Error ? error.message : String(error);
}

/**
 * Waits for a call of the engine and translates: an abort becomes the signal's reason, a connection that fails
 * becomes `engine_down`. Refusals of the engine pass as they are; `statusOf` reads them.
 */
export async function ask<T>(call: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw isConnectionError(error) ? engineDown(error) : error;
  }
}

/** As `ask`, but `null` when the engine says one of these statuses. */
export async function askUnless<T>(
  call: Promise<T>,
  statuses: readonly number[],
  signal: AbortSignal,
): Promise<T | null> {
  try {
    return await ask(call, signal);
  } catch (error) {
    const status = statusOf(error);
    if (status !== null && statuses.includes(status)) return null;
    throw error;
  }
}

function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return 'code' in error && connectionCodes.has(String(error.code));
}

function engineDown(cause: unknown): BackendError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new BackendError('engine_down', `the Docker Engine does not answer: ${why}`, cause);
}
