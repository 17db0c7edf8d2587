import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import type { Cli } from '../../src/cli/cli.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { nodeRandom } from '../../src/lib/node/hashes.ts';
import { createFetch, type TrustedFetch } from '../../src/lib/node/pinned-fetch.ts';

export interface CapturedOutput extends Writable {
  isTTY: boolean;
  columns: number;
  bytes(): Buffer;
  text(): string;
  /** Resolves as soon as the text matches. */
  shows(pattern: RegExp): Promise<void>;
}

export function captureOutput({ isTTY = false } = {}): CapturedOutput {
  const chunks: Buffer[] = [];
  const waiting = new Set<() => void>();
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      for (const look of waiting) look();
      done();
    },
  });
  const bytes = (): Buffer => Buffer.concat(chunks);
  const text = (): string => bytes().toString('utf8');
  const shows = (pattern: RegExp): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!pattern.test(text())) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return Object.assign(stream, { isTTY, columns: 80, bytes, text, shows });
}

export interface Terminal extends AsyncDisposable {
  stdout: CapturedOutput;
  stderr: CapturedOutput;
  folder: string;
  cli: Omit<Cli, 'setExitCode'>;
  /** Nobody reads the output from here on. */
  hangUp(): void;
  pressCtrlC(): void;
  /** Runs one command line and answers its exit code. */
  weir(...argv: string[]): Promise<number>;
}

interface TerminalOptions {
  env?: Record<string, string>;
  stdin?: string;
  isTTY?: boolean;
  parts?: Partial<Cli>;
}

/** The command line in this process, with folders of its own and nothing of the machine's environment. */
export async function openTerminal({
  env = {},
  stdin = '',
  isTTY = false,
  parts = {},
}: TerminalOptions = {}): Promise<Terminal> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-cli-'));
  const stdout = captureOutput({ isTTY });
  const stderr = captureOutput({ isTTY });
  const unread = new AbortController();
  const interrupts = new Set<() => void>();
  const clients: TrustedFetch[] = [];
  const cli: Terminal['cli'] = {
    stdin: Readable.from([stdin]),
    stdout,
    stderr,
    env,
    folders: { config: join(folder, 'config'), data: join(folder, 'data'), system: join(folder, 'etc') },
    version: '1.2.3',
    clock: systemClock,
    random: nodeRandom,
    createFetch(pin) {
      const client = createFetch({ pin });
      clients.push(client);
      return client;
    },
    onInterrupt(listener) {
      interrupts.add(listener);
      return () => void interrupts.delete(listener);
    },
    onTerminate: () => () => undefined,
    onReload: () => () => undefined,
    signal: unread.signal,
    ...parts,
  };
  return {
    stdout,
    stderr,
    folder,
    cli,
    hangUp: () => unread.abort(new Error('nobody reads')),
    pressCtrlC: () => {
      for (const listener of interrupts) listener();
    },
    weir: (...argv) => runCli(argv, cli),
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
