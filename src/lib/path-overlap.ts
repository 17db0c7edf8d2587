/** Whether one of two absolute paths is the other or lies in it. */
export function pathsOverlap(one: string, other: string): boolean {
  const [a, b] = [withSlash(one), withSlash(other)];
  return a.startsWith(b) || b.startsWith(a);
}

function withSlash(path: string): string {
  return path.endsWith('/') ? path : `${path}/`;
}
