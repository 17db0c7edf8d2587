import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';

/** One DER element (ITU-T X.690 §8.1): tag, length, the parts one after another. */
export function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  if (body.length < 0x80) return Buffer.concat([Buffer.of(tag, body.length), body]);
  const length = bigEndian(body.length);
  return Buffer.concat([Buffer.of(tag, 0x80 | length.length, ...length), body]);
}

export const sequence = (...parts: Uint8Array[]): Buffer => der(0x30, ...parts);
export const set = (...parts: Uint8Array[]): Buffer => der(0x31, ...parts);
export const octets = (data: Uint8Array): Buffer => der(0x04, data);
export const bits = (data: Uint8Array): Buffer => der(0x03, Buffer.of(0), data);
export const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text));
export const yes = der(0x01, Buffer.of(0xff));

/** A positive INTEGER of big-endian bytes, in the fewest bytes. */
export function positive(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Buffer.of(0) : bytes.subarray(first);
  return der(0x02, (digits[0] ?? 0) & 0x80 ? Buffer.of(0) : Buffer.alloc(0), digits);
}

/** OBJECT IDENTIFIER of its dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** Time to the second, UTC: UTCTime before 2050 and GeneralizedTime from then on (RFC 5280 §4.1.2.5). */
export function time(ms: number): Buffer {
  const text = `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
  return text < '2050' ? der(0x17, Buffer.from(text.slice(2))) : der(0x18, Buffer.from(text));
}

/**
 * GeneralName of a host name or an IP address (RFC 5280 §4.2.1.6).
 * @throws TypeError when `name` is neither.
 */
export function generalName(name: string): Buffer {
  if (isIPv4(name)) return der(0x87, Buffer.from(name.split('.').map(Number)));
  if (isIPv6(name) && !name.includes('%')) return der(0x87, ipv6Bytes(name));
  const ascii = domainToASCII(name);
  if (!/^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(ascii)) {
    throw new TypeError(`"${name}" is neither a host name nor an IP address`);
  }
  return der(0x82, Buffer.from(ascii));
}

function ipv6Bytes(address: string): Buffer {
  const [head = '', tail = ''] = address.replace(/[\d.]+\.\d+$/, hexadecimal).split('::');
  const groupsOf = (text: string): string[] => text.split(':').filter((group) => group !== '');
  const [before, after] = [groupsOf(head), groupsOf(tail)];
  const gap = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const groups = [...before, ...gap, ...after];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** `1.2.3.4` at the end of an IPv6 address as two of its groups. */
function hexadecimal(dotted: string): string {
  const digits = Buffer.from(dotted.split('.').map(Number)).toString('hex');
  return `${digits.slice(0, 4)}:${digits.slice(4)}`;
}

function bigEndian(value: number): number[] {
  return value < 256 ? [value] : [...bigEndian(Math.floor(value / 256)), value % 256];
}

function base128(value: number): number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift(0x80 | (rest % 128));
  }
  return bytes;
}
