import { readFile } from 'node:fs/promises';
import { CliError } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';

/**
 * A secret as it stands in a file or a variable, without the line end. What is not one printable word is refused
 * here: fetch would quote it in its own error.
 */
export function tokenOf(text: string, source: string): string {
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new CliError(`${source} holds no token`, {
    exitCode: exitCodes.usage,
    code: 'usage',
    fix: 'a token is one line of printable characters',
  });
}

/** @throws CliError when the file cannot be read or holds no token. */
export async function readTokenFile(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'error';
    throw new CliError(`the token file ${path} cannot be read: ${why}`, {
      exitCode: exitCodes.usage,
      code: 'usage',
      fix: 'name a file that you may read',
      cause: error,
    });
  }
  return tokenOf(text, path);
}
