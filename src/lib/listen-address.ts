export interface ListenAddress {
  address: string;
  port: number;
}

/** Reads `ADDR:PORT`, `[::1]:8000`, or a port alone, which is meant on loopback; `null` when it is none of them. */
export function parseListenAddress(text: string): ListenAddress | null {
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) return null;
  return { address: match[1] ?? match[2] ?? '127.0.0.1', port };
}
