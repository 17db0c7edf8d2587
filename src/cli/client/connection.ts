import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfThere } from '../../lib/node/private-file.ts';
import type { Cli } from '../cli.ts';
import { CliError, usageError } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { canonicalUrl } from './canonical-url.ts';
import { readContexts } from './contexts.ts';
import { namedContext } from './named-context.ts';
import { readTokenFile, tokenOf } from './token.ts';

export interface ConnectionFlags {
  url?: string | undefined;
  tokenFile?: string | undefined;
  pin?: string | undefined;
  data?: string | undefined;
  context?: string | undefined;
}

/** A Host and the credential for it, which goes to that URL and to no other. */
export interface Connection {
  url: string;
  token: string;
  /** SHA-256 of the Host's TLS key in base64url; `null` asks for the usual authorities. */
  pin: string | null;
  /** Where it was found, for messages. */
  source: string;
}

type Surroundings = Pick<Cli, 'env' | 'folders'>;
type Found = Omit<Connection, 'token'> & { token: string | null };

/**
 * Finds the Host: the flags, then `WEIR_URL`, then the current context, then the data folder of this machine.
 * @throws CliError when there is none, or no token for it.
 */
export async function resolveConnection(flags: ConnectionFlags, around: Surroundings): Promise<Connection> {
  const found = (await fromFlags(flags, around)) ?? (await fromSurroundings(around));
  if (!found) {
    throw usageError(
      'no Host is known here',
      'start one with `weir up`, or log in with `weir login --url URL`, or set WEIR_URL and WEIR_TOKEN',
    );
  }
  const token = flags.tokenFile === undefined ? found.token : await readTokenFile(flags.tokenFile);
  if (token === null) {
    throw new CliError(`there is no token for ${found.url} (${found.source})`, {
      exitCode: exitCodes.refused,
      code: 'unauthenticated',
      fix: `give --token-file FILE, or log in with \`weir login --url ${found.url}\``,
    });
  }
  return { ...found, token, pin: flags.pin ?? found.pin };
}

async function fromFlags(flags: ConnectionFlags, around: Surroundings): Promise<Found | null> {
  const given = (['url', 'context', 'data'] as const).filter((key) => flags[key] !== undefined);
  if (given.length > 1) {
    throw usageError(`--${given.join(' and --')} name a Host each`, 'give one of them');
  }
  if (flags.url !== undefined) return fromUrl(canonicalUrl(flags.url), '--url', around);
  if (flags.context !== undefined) return fromContext(flags.context, around);
  if (flags.data !== undefined) return fromFolder(flags.data);
  return null;
}

async function fromSurroundings(around: Surroundings): Promise<Found | null> {
  const url = around.env['WEIR_URL'];
  if (url) return fromUrl(canonicalUrl(url), 'WEIR_URL', around);
  if (around.env['WEIR_TOKEN']) {
    throw usageError('WEIR_TOKEN is set but WEIR_URL is not', 'set WEIR_URL, or give --url, --context or --data');
  }
  const { current } = await readContexts(around.folders);
  if (current !== null) return fromContext(current, around);
  return (await readFileIfThere(join(around.folders.data, 'endpoint.json'))) === null
    ? null
    : fromFolder(around.folders.data);
}

/** A bare URL finds its secrets in the variables, unless those name another Host, and then in the saved contexts. */
async function fromUrl(url: string, source: string, around: Surroundings): Promise<Found> {
  const { WEIR_URL: meant, WEIR_TOKEN: token, WEIR_TLS_PIN: pin } = around.env;
  const ours = !meant || canonicalUrl(meant) === url;
  if (ours && token) return { url, token: tokenOf(token, 'WEIR_TOKEN'), pin: pin || null, source };
  const saved = (await readContexts(around.folders)).contexts.find((one) => one.url === url);
  return { url, token: saved?.token ?? null, pin: (ours && pin) || saved?.pin || null, source };
}

async function fromContext(name: string, around: Surroundings): Promise<Found> {
  const { url, token, pin } = namedContext(await readContexts(around.folders), name);
  return { url, token, pin, source: `context ${name}` };
}

async function fromFolder(folder: string): Promise<Found> {
  const path = join(folder, 'endpoint.json');
  const text = await readFileIfThere(path);
  if (text === null) {
    throw new CliError(`no Host has started in ${folder}`, {
      exitCode: exitCodes.unreachable,
      code: 'unreachable',
      fix: `start it with \`weir host --data ${folder}\``,
    });
  }
  const { url, pin } = parseEndpoint(text, path);
  return { url, pin, token: await folderToken(folder), source: `--data ${folder}` };
}

async function folderToken(folder: string): Promise<string | null> {
  const path = join(folder, 'admin.token');
  try {
    return tokenOf(await readFile(path, 'utf8'), path);
  } catch (error) {
    if (error instanceof CliError) throw error;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new CliError(`${path} cannot be read`, {
      exitCode: exitCodes.refused,
      code: 'forbidden',
      fix: 'be the user that runs the Host, or `weir login` with a token of your own',
      cause: error,
    });
  }
}

function parseEndpoint(text: string, path: string): { url: string; pin: string | null } {
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch {
    // Told below, like every other shape that is not ours.
  }
  if (typeof value === 'object' && value !== null && 'url' in value && typeof value.url === 'string') {
    const pin = 'tlsPin' in value && typeof value.tlsPin === 'string' ? value.tlsPin : null;
    return { url: canonicalUrl(value.url), pin };
  }
  throw new CliError(`${path} is not what a Host writes`, {
    exitCode: exitCodes.failure,
    code: 'bad_file',
    fix: 'restart the Host, which writes it anew',
  });
}
