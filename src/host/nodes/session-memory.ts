import type { Clock } from '../../lib/clock.ts';
import { toBase64Url, type Random } from '../../lib/crypto.ts';
import type { NodeId } from '../../protocol/ids.ts';
import type { SessionTable } from '../context.ts';

interface Kept {
  node: NodeId;
  key: Uint8Array;
  lastSeq: number;
  expiresMs: number;
}

/** A proof cannot be of use for longer than this. */
const rememberProofMs = 120_000;

/** Sessions of a Host that is alone: after its restart Runners prove their keys anew. */
export function createSessionMemory({ clock, random }: { clock: Clock; random: Random }): SessionTable {
  const sessions = new Map<string, Kept>();
  const usedProofs = new Map<string, number>();
  const startedMs = clock.monotonic();
  return {
    // By the wall clock as it is now: it may have been set back since.
    get sinceMs() {
      return clock.now() - (clock.monotonic() - startedMs);
    },
    begin: async ({ node, proofHash, nowMs, expiresMs }) => {
      forget(usedProofs, (untilMs) => untilMs <= nowMs);
      if (usedProofs.has(proofHash)) return null;
      usedProofs.set(proofHash, nowMs + rememberProofMs);
      forget(sessions, (session) => session.expiresMs <= nowMs);
      const id = toBase64Url(random.bytes(16));
      const key = random.bytes(32);
      sessions.set(id, { node, key, lastSeq: -1, expiresMs });
      return { id, key };
    },
    keyOf: async (id) => sessions.get(id)?.key ?? null,
    advance: async (id, seq) => {
      const session = sessions.get(id);
      if (!session) return null;
      const fresh = seq > session.lastSeq;
      session.lastSeq = Math.max(session.lastSeq, seq);
      return { node: session.node, expiresMs: session.expiresMs, fresh };
    },
    end: async (node) => forget(sessions, (session) => session.node === node),
  };
}

function forget<K, V>(map: Map<K, V>, over: (value: V) => boolean): void {
  for (const [key, value] of map) if (over(value)) map.delete(key);
}
