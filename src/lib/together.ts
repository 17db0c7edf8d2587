/**
 * Runs parts that belong together until the signal aborts. When one ends by a failure the others are told to stop, and
 * that failure is thrown once all have ended.
 */
export async function together(
  signal: AbortSignal,
  parts: readonly ((until: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const failed = new AbortController();
  const until = AbortSignal.any([signal, failed.signal]);
  const ends = parts.map((part) =>
    part(until).catch((error: unknown) => {
      failed.abort(error);
      throw error;
    }),
  );
  const outcomes = await Promise.allSettled(ends);
  if (failed.signal.aborted) throw failed.signal.reason;
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
