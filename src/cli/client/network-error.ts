import { CliError } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Connection } from './connection.ts';

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  ENOTFOUND: 'the name is not known',
  EAI_AGAIN: 'the name could not be looked up',
  EHOSTUNREACH: 'there is no way to that machine',
  ENETUNREACH: 'there is no way to that network',
  ETIMEDOUT: 'it does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
  UND_ERR_HEADERS_TIMEOUT: 'it does not answer',
  UND_ERR_BODY_TIMEOUT: 'it stopped in the middle of an answer',
  UND_ERR_SOCKET: 'the connection was cut',
};

/** The errors inside an error, outermost first: fetch hides the reason in `cause`, connecting in `errors`. */
function* chain(error: unknown): Generator<Error> {
  let next: unknown = error;
  for (let depth = 0; depth < 8 && next instanceof Error; depth += 1) {
    yield next;
    next = next.cause ?? (next instanceof AggregateError ? next.errors[0] : undefined);
  }
}

const codeOf = (error: Error): string | null => ('code' in error && typeof error.code === 'string' ? error.code : null);

/** A certificate that is not trusted, or a key that is not the pinned one: never cured by waiting. */
function isIdentity(code: string | null, message: string): boolean {
  if (code === null) return /\bpin(?:ned)?\b/i.test(message);
  return /^(CERT_|ERR_TLS_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|.*PIN)/.test(code);
}

/** What fetch threw, as a sentence about the Host. */
export function unreachable(error: unknown, connection: Pick<Connection, 'url' | 'source'>): CliError {
  const all = [...chain(error)];
  const inner = all.findLast((one) => codeOf(one) !== null) ?? all.at(-1);
  const code = inner ? codeOf(inner) : null;
  const message = inner?.message ?? String(error);
  const where = `the Host at ${connection.url} (${connection.source})`;
  if (isIdentity(code, message)) {
    return new CliError(`${where} could not prove who it is: ${message}`, {
      exitCode: exitCodes.unreachable,
      code: 'host_identity',
      fix: 'check the address; the pin that belongs to it is in its endpoint.json and its log, give it with --pin',
      cause: error,
    });
  }
  return new CliError(`${where} cannot be reached: ${words[code ?? ''] ?? message}`, {
    exitCode: exitCodes.unreachable,
    code: 'unreachable',
    fix: 'check the address and that the Host runs',
    passing: true,
    cause: error,
  });
}
