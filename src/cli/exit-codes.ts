/** What the command's exit tells a script. `weir run` otherwise ends with the task's own code. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  refused: 4,
  unreachable: 5,
  /** `task wait` ran out. */
  timedOut: 124,
  /** `weir run`: the task ended without having started. */
  neverStarted: 125,
  /** 128 + SIGINT: detached, the end is not known. */
  interrupted: 130,
  /** 128 + SIGPIPE: `weir run` lost its reader, the end is not known. */
  brokenPipe: 141,
} as const;

/** The exit code for a refusal of the Host, by its HTTP status. */
export function exitCodeOfStatus(status: number): number {
  if (status === 404 || status === 410) return exitCodes.notFound;
  if (status >= 400 && status < 500) return exitCodes.refused;
  return exitCodes.failure;
}
