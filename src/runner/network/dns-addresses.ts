import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { readFileIfThere } from '../../lib/node/private-file.ts';

/** The second is where the Engine looks when systemd-resolved is behind the first. */
const resolverFiles = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];

/**
 * The addresses of this node that its own resolver configuration names. The Engine asks loopback ones from the
 * node itself, all others from inside the container: only those need a way in.
 */
export async function ownDnsAddresses(): Promise<string[]> {
  const texts = await Promise.all(resolverFiles.map(readFileIfThere));
  const own = Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.filter(({ internal }) => !internal).map(({ address }) => address),
  );
  return nameservers(texts.join('\n')).filter((address) => own.includes(address));
}

/** The addresses of a resolv.conf, each once. */
export function nameservers(text: string): string[] {
  const all = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, address = '']) => address);
  return [...new Set(all.filter((address) => isIP(address) > 0))];
}
