import { constants } from 'node:os';

const names = new Map(
  Object.entries(constants.signals)
    .filter(([name]) => name !== 'SIGPOLL' && name !== 'SIGIOT' && name !== 'SIGUNUSED')
    .map(([name, number]) => [number, name]),
);

/** Name of the signal that an exit code stands for (128 + n, as shells and the engine count); `null` if none. */
export function signalOfExit(exitCode: number): string | null {
  return exitCode > 128 ? (names.get(exitCode - 128) ?? null) : null;
}

/** The exit code that stands for a signal; `null` for a name that this machine does not know. */
export function exitOfSignal(name: string): number | null {
  for (const [number, known] of names) if (known === name) return 128 + number;
  return null;
}
