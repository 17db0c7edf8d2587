import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { writeFileWhole } from '../../../lib/node/private-file.ts';

/** What a client on this machine needs to find the Host. Not secret. */
export interface Endpoint {
  url: string;
  pid: number;
  /** SHA-256 of the TLS key in base64url; absent on plain HTTP. */
  tlsPin?: string;
}

export async function writeEndpoint(dataDir: string, endpoint: Endpoint): Promise<void> {
  await writeFileWhole(join(dataDir, 'endpoint.json'), `${JSON.stringify(endpoint)}\n`, 0o644);
}

/** Where the Host is reached from this machine. */
export function localUrl({ address, port, tls }: { address: string; port: number; tls: boolean }): string {
  const any = address === '0.0.0.0' || address === '::';
  const name = any ? '127.0.0.1' : address.includes(':') ? `[${address}]` : address;
  return `${tls ? 'https' : 'http'}://${name}:${port}`;
}

export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || address.startsWith('127.');
}

/** Names and addresses of this machine, under which the Host may be called. */
export function ownNames(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((one) => one.address));
  return [hostname(), ...addresses.map((one) => (one.includes(':') ? `[${one}]` : one))];
}
