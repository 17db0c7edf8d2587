import { BackendError } from '../backend.ts';

/** The node's own no: nothing of the workload was made. */
export function refused(message: string, cause?: unknown): BackendError {
  return new BackendError('start_failed', message, cause);
}
