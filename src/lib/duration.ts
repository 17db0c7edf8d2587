const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const part = /(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/gy;

/** Reads `30s`, `1h30m`, `250ms`, `2d` into whole milliseconds; `null` when it is not a duration. */
export function parseDuration(text: string): number | null {
  let totalMs = 0;
  let read = 0;
  for (const match of text.trim().matchAll(part)) {
    totalMs += Number(match[1]) * (unitMs[match[2] ?? ''] ?? Number.NaN);
    read += match[0].length;
  }
  if (read === 0 || read !== text.trim().length || !Number.isFinite(totalMs)) return null;
  return Math.round(totalMs);
}

/** Writes milliseconds as people say them, with the two largest units: `1h30m`, `42s`, `250ms`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}ms`;
  const parts: string[] = [];
  let restMs = ms;
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = unitMs[unit] ?? 1;
    const count = Math.floor(restMs / size);
    restMs -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join('');
}
