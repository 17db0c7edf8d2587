import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import type { RegistryCredential } from './backend/docker/options.ts';

const entrySchema = v.object({
  /** `user:password` in base64. */
  auth: v.optional(v.string()),
  username: v.optional(v.string()),
  password: v.optional(v.string()),
  identitytoken: v.optional(v.string()),
});
const fileSchema = v.object({ auths: v.record(v.string(), entrySchema) });

/**
 * Looks up credentials in a file as `docker login` writes it (`auths`); read at every pull, so that a changed one
 * counts at once. `null` where there is none for that registry.
 * @throws Error that names the file and repeats nothing of it
 */
export function registryCredentials(file: string | null): (registry: string) => Promise<RegistryCredential | null> {
  return async (registry) => {
    if (file === null) return null;
    const entries = Object.entries(await readAuths(file));
    const entry = entries.find(([key]) => registryOf(key) === registry)?.[1];
    return entry === undefined ? null : toCredential(entry, registry, file);
  };
}

async function readAuths(file: string): Promise<Record<string, v.InferOutput<typeof entrySchema>>> {
  const text = await readFile(file, 'utf8');
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), fileSchema), text);
  if (parsed.success) return parsed.output.auths;
  throw new Error(`${file} is no file of registry credentials: { "auths": { "REGISTRY": { "auth": … } } }`);
}

/** `https://index.docker.io/v1/` is what `docker login` calls docker.io. */
function registryOf(key: string): string {
  const host = key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}

function toCredential(entry: v.InferOutput<typeof entrySchema>, registry: string, file: string): RegistryCredential {
  const serveraddress = registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry;
  if (entry.identitytoken) return { identitytoken: entry.identitytoken, serveraddress };
  const [username = '', ...password] = Buffer.from(entry.auth ?? '', 'base64')
    .toString('utf8')
    .split(':');
  const known =
    entry.username === undefined
      ? { username, password: password.join(':') }
      : { username: entry.username, password: entry.password ?? '' };
  if (known.username !== '') return { ...known, serveraddress };
  throw new Error(`${file} has no user for ${registry}; helpers that keep the secret elsewhere are not asked`);
}
