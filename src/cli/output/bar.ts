/** How full something is: `[####......]`. Letters alone: every terminal and log has them. */
export function bar(used: number, total: number, width = 10): string {
  const share = total <= 0 ? 0 : Math.min(1, Math.max(0, used / total));
  // A little is never shown as nothing, nor nearly all as all.
  const full = share > 0 && share < 1 ? Math.min(width - 1, Math.max(1, Math.round(share * width))) : share * width;
  return `[${'#'.repeat(full).padEnd(width, '.')}]`;
}
