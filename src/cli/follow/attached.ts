import type { TaskView } from '../../protocol/task-view.ts';
import type { Cli } from '../cli.ts';
import { errorLines } from '../cli-error.ts';
import { type Api, path } from '../client/api.ts';
import type { LogRecord } from '../client/log-records.ts';
import { exitCodes } from '../exit-codes.ts';
import { write } from '../output/print.ts';
import { handleInterrupts } from './interrupts.ts';
import type { Reporter } from './reporter.ts';

/** How long after a first Ctrl-C the second one kills. */
const windowMs = 2000;

interface Attachment {
  reporter: Reporter;
  submit(cli: Cli): Promise<readonly TaskView[]>;
  /** Follows what was submitted to its end; answers the exit code. */
  follow(cli: Cli, tasks: readonly TaskView[]): Promise<number>;
}

/** Submits and follows until the end, unless Ctrl-C leaves or kills; answers the exit code. */
export async function attached(cli: Cli, api: Api, { reporter, submit, follow }: Attachment): Promise<number> {
  const left = new AbortController();
  const signal = AbortSignal.any([cli.signal, left.signal]);
  const ids: string[] = [];
  using _ = interrupts(cli, api, { ids, reporter, left });
  try {
    const tasks = await submit({ ...cli, signal });
    ids.push(...tasks.map(({ id }) => id));
    return await follow({ ...cli, signal }, tasks);
  } catch (error) {
    if (cli.signal.aborted) return exitCodes.brokenPipe;
    if (!left.signal.aborted) throw error;
    reporter.clear();
    const [first] = ids;
    if (first !== undefined)
      cli.stderr.write(
        `weir: ${ids.join(', ')} ${ids.length === 1 ? 'goes' : 'go'} on; follow it again: weir task logs -f ${first}\n`,
      );
    return exitCodes.interrupted;
  }
}

/** What following writes and tells. */
export function outputOf(cli: Cli, reporter: Reporter) {
  return {
    onTrouble: reporter.onTrouble,
    onRecord: ({ stream, bytes }: Pick<LogRecord, 'stream' | 'bytes'>) => {
      reporter.clear();
      return write(stream === 'stdout' ? cli.stdout : cli.stderr, bytes, cli.signal);
    },
    onLogFailure: (error: unknown) => {
      reporter.clear();
      for (const line of errorLines(error)) cli.stderr.write(`${line}\n`);
    },
  };
}

interface Interruptible {
  /** Empty until something was submitted. */
  ids: readonly string[];
  reporter: Reporter;
  left: AbortController;
}

function interrupts(cli: Cli, api: Api, { ids, reporter, left }: Interruptible): Disposable {
  const say = (text: string): void => {
    reporter.clear();
    cli.stderr.write(`${text}\n`);
  };
  return handleInterrupts({
    clock: cli.clock,
    onInterrupt: cli.onInterrupt,
    windowMs,
    onFirst() {
      if (ids.length === 0) return 'nothing yet';
      say(`\nweir: leaving ${ids.join(', ')}; press Ctrl-C again within ${windowMs / 1000} s to kill`);
      return 'killable';
    },
    leave: () => left.abort(new Error('detached')),
    kill() {
      if (ids.length > 0) say(`weir: killing ${ids.join(', ')}`);
      for (const id of ids) {
        const request = { method: 'POST', path: path('tasks', id, 'kill') } as const;
        api
          .json({ ...request, body: { message: 'Ctrl-C' } }, cli.signal)
          .catch((error: unknown) => errorLines(error).forEach(say));
      }
    },
  });
}
