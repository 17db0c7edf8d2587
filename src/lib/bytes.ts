const decimal = ['', 'K', 'M', 'G', 'T', 'P'];
const size = /^(\d+(?:\.\d+)?)\s*(?:([KMGTP])(i)?)?B?$/i;

/** Reads `64MiB`, `1.5G`, `2GB`, `4096` into whole bytes (`Ki` is 1024, `K` 1000); `null` when it is not a size. */
export function parseBytes(text: string): number | null {
  const match = size.exec(text.trim());
  if (!match) return null;
  const power = decimal.indexOf((match[2] ?? '').toUpperCase());
  const bytes = Math.round(Number(match[1]) * (match[3] ? 1024 : 1000) ** power);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Writes bytes as people say them: `64 MiB`, `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let power = 0;
  while (value >= 1024 && power < decimal.length - 1) {
    value /= 1024;
    power += 1;
  }
  const digits = power === 0 || value >= 100 ? 0 : 1;
  const text = value.toFixed(digits).replace(/\.0$/, '');
  return `${text} ${power === 0 ? 'B' : `${decimal[power]}iB`}`;
}
