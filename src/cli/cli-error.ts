import type { FieldError } from '../protocol/problem.ts';
import { printable } from '../lib/text.ts';
import { exitCodes } from './exit-codes.ts';

interface CliErrorDetails {
  exitCode: number;
  /** A problem's code, or one of the CLI's own (`usage`, `unreachable`, `bad_answer`, …). */
  code: string;
  fix?: string | undefined;
  errors?: readonly FieldError[] | undefined;
  /** Whether the same request may go well a little later. */
  passing?: boolean;
  cause?: unknown;
}

/** The one error that the CLI shows: a sentence, a code, what would change it, and the exit code. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly details: CliErrorDetails;

  constructor(message: string, details: CliErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.details = details;
  }
}

export function usageError(message: string, fix?: string): CliError {
  return new CliError(message, { exitCode: exitCodes.usage, code: 'usage', fix });
}

/** Whether the request failed in a way that a moment may cure: the Host away, busy, or a node out of reach. */
export function isPassing(error: unknown): error is CliError {
  return error instanceof CliError && error.details.passing === true;
}

const oneLine = (text: string): string =>
  printable(text)
    .replace(/[\n\t]+/g, ' ')
    .trim();

/** The lines that stderr gets: `weir: <detail> (<code>); <fix>` and one for each faulty field. */
export function errorLines(error: unknown): string[] {
  if (!(error instanceof CliError)) {
    const text = error instanceof Error ? error.message : String(error);
    return [`weir: ${oneLine(text)} (internal)`];
  }
  const { code, fix, errors } = error.details;
  const first = `weir: ${oneLine(error.message)} (${oneLine(code)})${fix ? `; ${oneLine(fix)}` : ''}`;
  return [first, ...(errors ?? []).map((one) => `  ${oneLine(one.pointer)}: ${oneLine(one.message)}`)];
}

export function exitCodeOf(error: unknown): number {
  return error instanceof CliError ? error.details.exitCode : exitCodes.failure;
}
