import { sql } from 'drizzle-orm';

/** Milliseconds since 1970 by the database's own clock: the one that several Hosts have in common. */
export const databaseNowMs = sql.raw("cast(unixepoch('subsec') * 1000 as integer)");
