const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** Writes a counter in Crockford's base 32, lower case, without padding. */
export function encodeCounter(value: number): string {
  let rest = value;
  let text = '';
  do {
    text = alphabet.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  } while (rest > 0);
  return text;
}

/** Reads what `encodeCounter` wrote; `null` when it is something else (also leading zeros, unsafe integers). */
export function decodeCounter(text: string): number | null {
  if (text.length === 0 || text.length > 10 || (text.length > 1 && text.startsWith('0'))) return null;
  let value = 0;
  for (const letter of text) {
    const digit = alphabet.indexOf(letter);
    if (digit < 0) return null;
    value = value * 32 + digit;
  }
  return value;
}
