import { isIP } from 'node:net';
import { posix } from 'node:path';
import * as v from 'valibot';
import { parseListenAddress } from '../lib/listen-address.ts';
import { pathsOverlap, systemFolders } from '../lib/path-overlap.ts';
import { byteSize, duration, wholeNumber } from '../protocol/schema.ts';

const isAddressText = (value: string): boolean => parseListenAddress(value) !== null;

export const listenAddress = v.pipe(
  v.string('must be text such as "0.0.0.0:8000"'),
  v.check(isAddressText, 'must be ADDRESS:PORT such as "0.0.0.0:8000" or "[::]:8000"'),
  v.transform((value) => parseListenAddress(value) ?? { address: '', port: 0 }),
);

/** An address that others dial: port 0 and a port alone name nothing. */
export const dialAddress = v.pipe(
  listenAddress,
  v.check(({ port }) => port !== 0, 'must name the port that others dial, not 0'),
);

/** An absolute path, without `.`, `..` and a slash at the end. */
export const path = v.pipe(
  v.string('must be text'),
  v.maxLength(1024, 'at most 1,024 characters'),
  v.check((value) => value.startsWith('/') && !value.includes('\0'), 'must be an absolute path, from "/" on'),
  v.transform((value) => posix.join(value, '.').replace(/(?<=.)\/$/, '')),
);

/** A folder of the node that workloads may see. Links in it are the Runner's to look at. */
export const folderForWorkloads = v.pipe(
  path,
  v.check(
    (value) => !systemFolders.some((folder) => pathsOverlap(value, folder)),
    `must not be, hold or lie in a folder of the system (${systemFolders.join(', ')})`,
  ),
);

const hostNamePattern = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?)*$/;

/** As a URL has it: small letters, an IPv6 address in brackets. */
export const hostName = v.pipe(
  v.string('must be text'),
  v.transform((value) => value.toLowerCase().replace(/^\[(.*)\]$/, '$1')),
  v.check(
    (value) => isIP(value) !== 0 || hostNamePattern.test(value),
    'must be a host name or an address, without port and scheme',
  ),
  v.transform((value) => (isIP(value) === 6 ? `[${value}]` : value)),
);

function urlOf(value: string, schemes: readonly string[]): URL | null {
  try {
    const url = new URL(value);
    return schemes.includes(url.protocol) ? url : null;
  } catch {
    return null;
  }
}

/** The address of a Host: no query, and no secret in it. Without a slash at the end. */
export const hostUrl = v.pipe(
  v.string('must be text'),
  v.check(
    (value) => urlOf(value, ['http:', 'https:']) !== null,
    'must be an address such as "https://weir.example:8000"',
  ),
  v.check((value) => {
    const url = urlOf(value, ['http:', 'https:']);
    return url === null || `${url.username}${url.password}${url.search}${url.hash}` === '';
  }, 'must hold no name, password or query'),
  v.transform((value) => value.replace(/\/+$/, '')),
);

const databaseSchemes = ['libsql:', 'http:', 'https:', 'file:'];

/** A libSQL server, or a file by path. Its token has a file of its own. */
export const databaseUrl = v.pipe(
  v.string('must be text'),
  v.check(
    (value) => value.startsWith('/') || urlOf(value, databaseSchemes) !== null,
    'must be an absolute path, or an address that begins with libsql:, https:, http: or file:',
  ),
  v.check((value) => {
    const url = urlOf(value, databaseSchemes);
    return url === null || `${url.username}${url.password}${url.search}` === '';
  }, 'must hold no secret: put the token into a file and name that in host.database.tokenFile'),
);

/** `10.88.0.0/16`, the address of the network itself, with room for containers. */
export const subnet = v.pipe(
  v.string('must be text'),
  v.check((value) => isSubnet(value), 'must be an IPv4 network of /8 to /28 such as "10.88.0.0/16"'),
);

function isSubnet(value: string): boolean {
  const [, address = '', length = ''] = /^([\d.]+)\/(\d{1,2})$/.exec(value) ?? [];
  const bits = Number(length);
  if (isIP(address) !== 4 || bits < 8 || bits > 28) return false;
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return number % 2 ** (32 - bits) === 0;
}

/** A registry by name, with its port where it has one; never an address literal. */
export const registry = v.pipe(
  v.string('must be text'),
  v.regex(
    /^(?=.*[.:]|localhost)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?$/,
    'must be the name of a registry such as "docker.io" or "registry.example:5000"',
  ),
  v.check((value) => isIP(value.replace(/:\d+$/, '')) === 0, 'a registry is named, not given as an address'),
);

/** The beginning of local image names. */
export const imagePrefix = v.pipe(
  v.string('must be text'),
  v.regex(/^[a-z0-9][a-z0-9._/-]{0,254}$/, 'must be the beginning of an image name such as "weir/"'),
);

export function list<const S extends v.GenericSchema>(item: S, most: number) {
  return v.pipe(v.array(item, 'must be a list'), v.maxLength(most, `at most ${most} of them`));
}

export function durationBetween(leastMs: number, most: { ms: number; text: string }) {
  return v.pipe(duration, v.minValue(leastMs, `at least ${leastMs} ms`), v.maxValue(most.ms, `at most ${most.text}`));
}

export function bytesFrom(least: { bytes: number; text: string }) {
  return v.pipe(byteSize, v.minValue(least.bytes, `at least ${least.text}`));
}

export function countBetween(least: number, most: number) {
  const message = `must be a whole number from ${least} to ${most}`;
  return v.pipe(wholeNumber, v.minValue(least, message), v.maxValue(most, message));
}

export const yesOrNo = v.boolean('must be true or false');
