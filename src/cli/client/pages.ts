import { CliError } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Api, ApiRequest } from './api.ts';

export interface RawList {
  items: unknown[];
  cursor: string | null;
}

/** One page as it was answered, or all pages as one list whose cursor is null. */
export async function readPages(
  api: Api,
  { pages, ...request }: ApiRequest & { pages: 'one' | 'all' },
  signal: AbortSignal,
): Promise<RawList> {
  const first = asList(await api.json(request, signal));
  const items = [...first.items];
  let { cursor } = first;
  while (pages === 'all' && cursor !== null) {
    const next = asList(await api.json({ ...request, query: { ...request.query, cursor } }, signal));
    items.push(...next.items);
    ({ cursor } = next);
  }
  return { ...first, items, cursor };
}

function asList(value: unknown): RawList {
  if (typeof value === 'object' && value !== null && 'items' in value && Array.isArray(value.items)) {
    const cursor = 'cursor' in value && typeof value.cursor === 'string' ? value.cursor : null;
    return { ...value, items: value.items, cursor };
  }
  throw new CliError('the answer is not a list', {
    exitCode: exitCodes.failure,
    code: 'bad_answer',
  });
}
