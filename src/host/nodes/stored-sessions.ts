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

/**
 * Sessions in the database that several Hosts share, so that a Runner may call any of them. A key is derived from the
 * signing key that the Hosts have in common (Ed25519 signs the same words alike, RFC 8032 §5.1.6), and is stored nowhere.
 */
export function createStoredSessions({ db, keys, hashes, random }: Slice): SessionTable {
  const known = new Map<string, Uint8Array>();
  const derive = async (name: string): Promise<{ id: string; key: Uint8Array }> => {
    const secret = new TextEncoder().encode(await keys.sign('weir-session-key', { sid: name }, null));
    const key = fromBase64Url(hashes.hmac(secret, 'key'));
    if (key === null) throw new Error('an HMAC came in no base64url');
    return { id: `${name}${hashes.hmac(secret, 'tag').slice(0, nameLength)}`, key };
  };
  const remember = ({ id, key }: { id: string; key: Uint8Array }): void => {
    if (known.size >= rememberedKeys) known.clear();
    known.set(id, key);
  };
  return {
    sinceMs: 0,
    async begin({ node, proofHash, nowMs, expiresMs }) {
      const made = await derive(toBase64Url(random.bytes(16)));
      await db.delete(runnerSessions).where(lt(runnerSessions.expiresMs, nowMs));
      try {
        await db.insert(runnerSessions).values({ id: made.id, node, proofHash, lastSeq: -1, expiresMs });
      } catch (error) {
        if (isUniqueViolation(error)) return null;
        throw error;
      }
      remember(made);
      return made;
    },
    async keyOf(id) {
      const before = known.get(id);
      if (before) return before;
      if (id.length !== 2 * nameLength) return null;
      const made = await derive(id.slice(0, nameLength));
      if (!hashes.equal(made.id, id)) return null;
      remember(made);
      return made.key;
    },
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
