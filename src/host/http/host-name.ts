import { ProblemError } from '../../protocol/problem.ts';

const always = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Refuses a request made under a name that is not ours: a foreign page whose name was pointed at this address.
 * @throws ProblemError `wrong_host`
 */
export function checkHostName(names: readonly string[], request: Request): void {
  const name = new URL(request.url).hostname;
  if (always.includes(name) || names.some((one) => one.toLowerCase() === name)) return;
  throw new ProblemError('wrong_host', `this Host is not called "${name}"`, {
    fix: 'reach it by a name that it knows; an operator adds names by --host-name',
  });
}
