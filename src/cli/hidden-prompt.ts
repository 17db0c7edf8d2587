import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Cli } from './cli.ts';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';

/**
 * Asks on the terminal for a line that is not shown.
 * @throws CliError at Ctrl-C or Ctrl-D.
 */
export function askHidden(cli: Pick<Cli, 'stdin' | 'stderr'>, question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: cli.stdin, output: nowhere, terminal: true });
  cli.stderr.write(question);
  return new Promise((resolve, reject) => {
    lines.once('SIGINT', () => lines.close());
    lines.once('close', () => {
      cli.stderr.write('\n');
      reject(new CliError('nothing was given', { exitCode: exitCodes.interrupted, code: 'cancelled' }));
    });
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
    });
  });
}
