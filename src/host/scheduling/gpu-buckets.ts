/** The ready nodes by the number of their free GPUs, so that a search passes over the full ones. */
export interface GpuBuckets {
  /** Number of free GPUs → nodes, in no order. */
  readonly nodes: readonly number[][];
  move(node: number, from: number, to: number): void;
}

export function gpuBuckets(ready: readonly number[], freeGpus: Int32Array): GpuBuckets {
  const most = ready.reduce((max, node) => Math.max(max, freeGpus[node] ?? 0), 0);
  const nodes: number[][] = Array.from({ length: most + 1 }, () => []);
  const place = new Int32Array(freeGpus.length);

  function add(node: number, free: number): void {
    const bucket = nodes[free];
    if (!bucket) return;
    place[node] = bucket.length;
    bucket.push(node);
  }

  function remove(node: number, free: number): void {
    const bucket = nodes[free];
    const last = bucket?.pop();
    if (!bucket || last === undefined || last === node) return;
    bucket[place[node] ?? 0] = last;
    place[last] = place[node] ?? 0;
  }

  for (const node of ready) add(node, freeGpus[node] ?? 0);
  return {
    nodes,
    move(node, from, to) {
      remove(node, from);
      add(node, to);
    },
  };
}
