import { and, eq, lt } from 'drizzle-orm';
import { fromBase64Url, toBase64Url } from '../../lib/crypto.ts';
import type { HostContext, SessionTable } from '../context.ts';
import { runnerSessions } from '../store/schema.ts';
import { isUniqueViolation } from '../store/store-error.ts';

type Slice = Pick<HostContext, 'db' | 'keys' | 'hashes' | 'random'>;

/** Keys of sessions that are remembered here; each costs a signature to make anew. */
const rememberedKeys = 10_000;
/** Of a session's id; behind it stands a tag that shows it to be of our making. */
const nameLength = 22;

interface SessionKey {
  id: string;
  key: Uint8Array;
}

/**
 * Sessions in the database that several Hosts share, so that a Runner may call any of them. Their
 * keys are derived, and stored nowhere.
 */
export function createStoredSessions(ctx: Slice): SessionTable {
  const { db } = ctx;
  const keys = createDerivedKeys(ctx);
  return {
    sinceMs: 0,
    async begin({ node, proofHash, nowMs, expiresMs }) {
      const made = await keys.make();
      await db.delete(runnerSessions).where(lt(runnerSessions.expiresMs, nowMs));
      try {
        await db.insert(runnerSessions).values({ id: made.id, node, proofHash, lastSeq: -1, expiresMs });
      } catch (error) {
        if (isUniqueViolation(error)) return null;
        throw error;
      }
      return made;
    },
    keyOf: (id) => keys.find(id),
    async advance(id, seq) {
      const [taken] = await db
        .update(runnerSessions)
        .set({ lastSeq: seq })
        .where(and(eq(runnerSessions.id, id), lt(runnerSessions.lastSeq, seq)))
        .returning();
      if (taken) return { node: taken.node, expiresMs: taken.expiresMs, fresh: true };
      const [row] = await db.select().from(runnerSessions).where(eq(runnerSessions.id, id));
      return row ? { node: row.node, expiresMs: row.expiresMs, fresh: false } : null;
    },
    async end(node) {
      await db.delete(runnerSessions).where(eq(runnerSessions.node, node));
    },
  };
}

/**
 * Keys that every Host with the cluster's signing key can derive from a session's id (Ed25519 signs
 * the same words alike, RFC 8032 §5.1.6).
 */
function createDerivedKeys({ keys, hashes, random }: Slice) {
  const known = new Map<string, Uint8Array>();
  const derive = async (name: string): Promise<SessionKey> => {
    const words = await keys.sign('weir-session-key', { sid: name }, null);
    const secret = new TextEncoder().encode(words);
    const key = fromBase64Url(hashes.hmac(secret, 'key'));
    if (key === null) throw new Error('an HMAC came in no base64url');
    return { id: `${name}${hashes.hmac(secret, 'tag').slice(0, nameLength)}`, key };
  };
  const remember = ({ id, key }: SessionKey): void => {
    if (known.size >= rememberedKeys) known.clear();
    known.set(id, key);
  };
  return {
    async make(): Promise<SessionKey> {
      const made = await derive(toBase64Url(random.bytes(16)));
      remember(made);
      return made;
    },
    /** `null` for an id that no Host of the cluster made. */
    async find(id: string): Promise<Uint8Array | null> {
      const before = known.get(id);
      if (before) return before;
      if (id.length !== 2 * nameLength) return null;
      const made = await derive(id.slice(0, nameLength));
      if (!hashes.equal(made.id, id)) return null;
      remember(made);
      return made.key;
    },
  };
}
