/** Folders of a Linux system that are given to nobody, nor one that they lie in. */
export const systemFolders: readonly string[] = [
  '/boot',
  '/dev',
  '/etc',
  '/proc',
  '/run',
  '/sys',
  '/var/run',
  '/var/lib/docker',
  '/var/lib/containerd',
];

/** Whether one of two absolute paths is the other or lies in it. */
export function pathsOverlap(one: string, other: string): boolean {
  const [a, b] = [withSlash(one), withSlash(other)];
  return a.startsWith(b) || b.startsWith(a);
}

function withSlash(path: string): string {
  return path.endsWith('/') ? path : `${path}/`;
}
