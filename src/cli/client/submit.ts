import { createBackoff } from '../../lib/backoff.ts';
import { toBase64Url } from '../../lib/crypto.ts';
import type { Cli } from '../cli.ts';
import { isPassing } from '../cli-error.ts';
import type { Api, ApiRequest } from './api.ts';

const mostTries = 4;

/**
 * Posts under a key that makes repeating it harmless, and repeats it a few times when the connection broke and nobody
 * knows whether it arrived. A Host that is not there at all is told at once.
 */
export async function submit(
  cli: Cli,
  api: Api,
  request: Pick<ApiRequest, 'path' | 'query' | 'body'>,
): Promise<unknown> {
  const headers = { 'idempotency-key': toBase64Url(cli.random.bytes(16)) };
  const backoff = createBackoff({ firstMs: 200, longestMs: 2000, random: cli.random.fraction });
  for (let tries = 1; ; tries += 1) {
    try {
      return await api.json({ ...request, method: 'POST', headers }, cli.signal);
    } catch (error) {
      if (!isPassing(error) || tries === mostTries || !mayHaveArrived(error)) throw error;
      await cli.clock.sleep(backoff.nextMs(), cli.signal);
    }
  }
}

const neverArrived = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/;

function mayHaveArrived(error: unknown): boolean {
  let next = error;
  for (let depth = 0; depth < 8 && next instanceof Error; depth += 1) {
    if ('code' in next && typeof next.code === 'string' && neverArrived.test(next.code)) return false;
    next = next.cause;
  }
  return true;
}
