import { createFetch, type TrustedFetch } from '../../../lib/node/pinned-fetch.ts';
import type { NodeId } from '../../../protocol/ids.ts';
import type { RunnerFetch } from '../../context.ts';

/** Calls Runners, each over its own pinned connections. */
export function createRunnerFetch(): { fetch: RunnerFetch; close(): void } {
  const byNode = new Map<NodeId, { pin: string | null; fetch: TrustedFetch }>();
  const fetchFor = (id: NodeId, pin: string | null): TrustedFetch => {
    const known = byNode.get(id);
    if (known?.pin === pin) return known.fetch;
    known?.fetch.close();
    const fresh = { pin, fetch: createFetch({ pin }) };
    byNode.set(id, fresh);
    return fresh.fetch;
  };
  return {
    fetch: (runner, path, init) => {
      const scheme = runner.tlsPin === null ? 'http' : 'https';
      return fetchFor(runner.id, runner.tlsPin)(`${scheme}://${runner.apiAddress}${path}`, init);
    },
    close() {
      for (const { fetch } of byNode.values()) fetch.close();
    },
  };
}
