import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { TaskSpecInput } from '../../protocol/task-spec.ts';
import type { Cli } from '../cli.ts';
import { usageError } from '../cli-error.ts';
import { specsFromFlags, type SpecFlags } from './from-flags.ts';

type Surroundings = Pick<Cli, 'env' | 'clock' | 'stdin'>;

/** As `specsFromFlags`, with the text that `--stdin` names read. @throws CliError also when it cannot be */
export async function readSpecs(
  cli: Surroundings,
  flags: SpecFlags,
  command: readonly string[],
): Promise<[TaskSpecInput, ...TaskSpecInput[]]> {
  const stdin = flags.stdin === undefined ? undefined : await readText(cli, flags.stdin, '--stdin');
  return specsFromFlags(flags, command, { env: cli.env, nowMs: cli.clock.now(), stdin });
}

/**
 * Specs as somebody wrote them: an object, or an array of them.
 * @throws CliError when the file cannot be read or is no JSON
 */
export async function readSpecFile(cli: Surroundings, file: string): Promise<unknown> {
  const text = await readText(cli, file, '--file');
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : 'it cannot be read';
    const source = file === '-' ? 'stdin' : file;
    throw usageError(`${source} holds no spec: ${why}`, 'give a task spec, or an array of them, as JSON');
  }
}

async function readText(cli: Surroundings, file: string, option: string): Promise<string> {
  try {
    const bytes = file === '-' ? await buffer(cli.stdin) : await readFile(file);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    const why = error instanceof TypeError ? 'it is not UTF-8 text' : reasonOf(error);
    throw usageError(`${option} ${file} cannot be read: ${why}`, 'name a file of text');
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);
