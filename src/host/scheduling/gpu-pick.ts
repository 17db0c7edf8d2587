/**
 * The GPUs of one kind among the free ones where one has enough, of several the kind with the fewest
 * left, then the one with the least memory; else all. `memoryOf` is of a kind.
 */
export function ofOneKind(
  free: readonly number[],
  count: number,
  { kindOf, memoryOf }: { kindOf: (gpu: number) => number; memoryOf: (kind: number) => number },
): readonly number[] {
  const kinds = groupBy(free, kindOf);
  if (kinds.size <= 1) return free;
  const [best] = [...kinds]
    .filter(([, gpus]) => gpus.length >= count)
    .sort(([a, ofA], [b, ofB]) => ofA.length - ofB.length || memoryOf(a) - memoryOf(b) || a - b);
  return best?.[1] ?? free;
}

/**
 * Chooses `count` of the free GPUs of one node: from one NUMA node where one has enough, there from
 * the one with the fewest left (so a single goes beside a taken partner and whole pairs stay whole);
 * else from as few NUMA nodes as will do. Integers in, integers out; `free` is in order of the node's GPUs.
 */
export function pickGpus(free: readonly number[], count: number, numaOf: (gpu: number) => number | null): number[] {
  const islands = [...groupBy(free, numaOf).values()];
  const picked: number[] = [];
  while (picked.length < count && islands.length > 0) {
    const best = bestIsland(islands, count - picked.length);
    picked.push(...(islands[best] ?? []).slice(0, count - picked.length));
    islands.splice(best, 1);
  }
  return picked.sort((a, b) => a - b);
}

function groupBy<Key>(free: readonly number[], keyOf: (gpu: number) => Key): Map<Key, number[]> {
  const groups = new Map<Key, number[]>();
  for (const gpu of free) {
    const group = groups.get(keyOf(gpu));
    if (group) group.push(gpu);
    else groups.set(keyOf(gpu), [gpu]);
  }
  return groups;
}

/** The smallest island that is large enough, else the largest; the first of equals. */
function bestIsland(islands: readonly (readonly number[])[], count: number): number {
  let best = 0;
  for (const [index, island] of islands.entries()) {
    if (isBetter(island.length, islands[best]?.length ?? 0, count)) best = index;
  }
  return best;
}

function isBetter(size: number, than: number, count: number): boolean {
  if (size >= count && than >= count) return size < than;
  return size > than;
}
