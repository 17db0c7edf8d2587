import { CliError } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Api } from './api.ts';

/** Whom a person means by an owner: `me` is the holder of the token. */
export async function ownerOf(api: Api, owner: string | undefined, signal: AbortSignal): Promise<string | undefined> {
  if (owner !== 'me') return owner;
  const who = await api.json({ path: '/whoami' }, signal);
  if (typeof who === 'object' && who !== null && 'subject' in who && typeof who.subject === 'string')
    return who.subject;
  throw new CliError('the Host does not say whose token this is', {
    exitCode: exitCodes.failure,
    code: 'bad_answer',
  });
}
