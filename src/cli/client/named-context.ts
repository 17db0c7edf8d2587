import { CliError } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Context, Contexts } from './contexts.ts';

/** @throws CliError `not_found`, with the names that there are. */
export function namedContext({ contexts }: Pick<Contexts, 'contexts'>, name: string): Context {
  const found = contexts.find((one) => one.name === name);
  if (found) return found;
  throw new CliError(`there is no context "${name}"`, {
    exitCode: exitCodes.notFound,
    code: 'not_found',
    fix: contexts.length > 0 ? `there are ${contexts.map((one) => one.name).join(', ')}` : 'make one with `weir login`',
  });
}
