import { open } from 'node:fs/promises';
import { printable, shorten } from '../../../lib/text.ts';
import { createJsonFileParser } from './json-file.ts';

const headBytes = 4096;
const fatal = /^\[FATAL tini \(\d+\)\] exec (.*) failed: (.*?)\n?$/s;

/** Exit codes that the init process leaves when it cannot execute what it is given. */
const failureCodes = [126, 127];

/**
 * Why the command of a container could not be executed; `null` when it was. The engine itself sees only its init
 * process start well: that one says in the first line of the output what it could not execute.
 */
export async function readExecFailure(from: {
  exitCode: number;
  logPath: string;
  image: string;
}): Promise<string | null> {
  if (!failureCodes.includes(from.exitCode)) return null;
  const [first] = createJsonFileParser(0).push(await readHead(from.logPath));
  if (first?.stream !== 'stderr') return null;
  return execFailure(from.image, Buffer.from(first.bytes).toString('utf8'));
}

export function execFailure(image: string, line: string): string | null {
  const [, command, why] = fatal.exec(line) ?? [];
  if (command === undefined || why === undefined) return null;
  return shorten(printable(`the command "${command}" cannot be run in "${image}": ${why}`), 2000);
}

async function readHead(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(headBytes), 0, headBytes, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    // Not root: the exit code is all that is known.
    return new Uint8Array();
  }
}
