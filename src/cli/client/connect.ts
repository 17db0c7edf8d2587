import type { Cli } from '../cli.ts';
import { type Api, createApi } from './api.ts';
import { type ConnectionFlags, resolveConnection } from './connection.ts';

/** The Host that the flags or the surroundings name. Nothing is sent yet. */
export async function connect(cli: Cli, flags: ConnectionFlags): Promise<Api> {
  const connection = await resolveConnection(flags, cli);
  return createApi({ connection, fetch: cli.createFetch(connection.pin), clock: cli.clock });
}
