import type { Cli } from './cli.ts';
import { errorLines, exitCodeOf } from './cli-error.ts';

/**
 * Does the same to each, one behind the other, and goes on when one fails; each failure is told, and the first one
 * decides the exit code.
 */
export async function each<T>(cli: Cli, items: readonly string[], act: (item: string) => Promise<T>): Promise<T[]> {
  const done: T[] = [];
  let failed = false;
  for (const item of items) {
    try {
      done.push(await act(item));
    } catch (error) {
      if (cli.signal.aborted) throw error;
      if (!failed) cli.setExitCode(exitCodeOf(error));
      failed = true;
      for (const line of errorLines(error)) cli.stderr.write(`${line}\n`);
    }
  }
  return done;
}
