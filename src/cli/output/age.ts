import { formatDuration } from '../../lib/duration.ts';

/** How long ago, in the largest unit that says something: `3d`, `2h`, `41s`. */
export function age(at: string | null, nowMs: number): string {
  if (at === null) return '-';
  return coarse(nowMs - Date.parse(at));
}

/** How long from one time to the other. */
export function span(from: string | null, to: string | null): string {
  return from === null || to === null ? '-' : coarse(Date.parse(to) - Date.parse(from));
}

function coarse(ms: number): string {
  if (ms < 1000) return ms < 0 ? '0s' : `${(ms / 1000).toFixed(1)}s`;
  return formatDuration(Math.floor(ms / 1000) * 1000);
}
