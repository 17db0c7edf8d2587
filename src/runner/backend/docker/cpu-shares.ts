/** A core weighs what the kernel gives a group by default; who asked for nothing gets what is left over. */
export function cpuShares(cpuMilli: number): number {
  return Math.min(262_144, Math.max(64, Math.round((cpuMilli * 1024) / 1000)));
}
