import { join } from 'node:path';
import { makePrivateFolder, readFileIfThere, writeFileWhole } from '../../lib/node/private-file.ts';
import type { Folders } from '../cli.ts';
import { CliError } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';

/** A Host that somebody logged in to. */
export interface Context {
  name: string;
  url: string;
  token: string;
  pin: string | null;
}

export interface Contexts {
  current: string | null;
  contexts: readonly Context[];
}

const pathOf = (folders: Pick<Folders, 'config'>): string => join(folders.config, 'contexts.json');

/** @throws CliError when the file is not ours. */
export async function readContexts(folders: Pick<Folders, 'config'>): Promise<Contexts> {
  const path = pathOf(folders);
  const text = await readFileIfThere(path);
  if (text === null) return { current: null, contexts: [] };
  const read = parse(text);
  if (read) return read;
  throw new CliError(`${path} is not what \`weir login\` writes`, {
    exitCode: exitCodes.failure,
    code: 'bad_file',
    fix: 'repair it, or remove it and log in again',
  });
}

/** Written whole and readable by its owner alone: it holds tokens. */
export async function writeContexts(folders: Pick<Folders, 'config'>, contexts: Contexts): Promise<void> {
  await makePrivateFolder(folders.config);
  await writeFileWhole(pathOf(folders), `${JSON.stringify(contexts, null, 2)}\n`, 0o600);
}

/** Adds a context or takes the place of the one with its name, and makes it the current one. */
export function withContext(all: Contexts, context: Context): Contexts {
  const others = all.contexts.filter((one) => one.name !== context.name);
  return {
    current: context.name,
    contexts: [...others, context].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

export function withoutContext(all: Contexts, name: string): Contexts {
  return {
    current: all.current === name ? null : all.current,
    contexts: all.contexts.filter((one) => one.name !== name),
  };
}

function parse(text: string): Contexts | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !('contexts' in value) || !Array.isArray(value.contexts)) {
    return null;
  }
  const contexts = value.contexts.map(parseContext);
  const known = contexts.filter((one) => one !== null);
  if (known.length < contexts.length) return null;
  const current = 'current' in value && typeof value.current === 'string' ? value.current : null;
  return { current: known.some((one) => one.name === current) ? current : null, contexts: known };
}

function parseContext(value: unknown): Context | null {
  if (typeof value !== 'object' || value === null) return null;
  const { name, url, token, pin } = value as Record<string, unknown>;
  if (typeof name !== 'string' || typeof url !== 'string' || typeof token !== 'string') return null;
  return { name, url, token, pin: typeof pin === 'string' ? pin : null };
}
