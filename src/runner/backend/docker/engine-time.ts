/** RFC 3339 with up to nine decimals, as the engine writes it, in µs since 1970; `null` for its zero time or none. */
export function parseTimeUs(text: string | undefined): number | null {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text ?? '');
  if (match === null || match[1]?.startsWith('0001-')) return null;
  const seconds = Date.parse(`${match[1]}${match[3]}`) / 1000;
  const micros = Number((match[2] ?? '').padEnd(6, '0').slice(0, 6));
  return Number.isFinite(seconds) ? seconds * 1_000_000 + micros : null;
}

/** The same in whole milliseconds. */
export function parseTimeMs(text: string | undefined): number | null {
  const us = parseTimeUs(text);
  return us === null ? null : Math.floor(us / 1000);
}
