/** Why a queued task waits, each with what would change it. */
export const adviceByReason = {
  resources: 'Wait for running work to end, ask for less, or add a node.',
  fragmented: 'There is enough in sum but not on one node: ask for less per task, or wait.',
  reserved:
    'The room is kept for a task ahead: give a shorter time limit to fit in before it, or wait.',
  priority: 'Tasks ahead in the queue go first: wait, or ask for a higher priority class.',
  impossible:
    'No node could ever run it: ask for less, drop a constraint, or add a node that has it.',
  constraint: 'Only nodes that match the placement count: loosen it, or wait for one of them.',
  node_not_ready: 'The nodes that could run it are away, draining or cordoned: bring one back.',
  backoff: 'It failed to start on the nodes that fit: they are tried again after a while.',
  depth: 'The queue is long: the next pass goes on from here.',
  no_nodes: 'Join a node: `weir node join-token` and then `weir runner` on the machine.',
  internal: "A fault in Weir, please report it with the Host's log.",
} as const;

export type ReasonCode = keyof typeof adviceByReason;

/** What one node has against a task. `gpu_busy`: a GPU asked for by name is taken. */
export type NodeCause =
  | 'cpu'
  | 'memory'
  | 'gpu'
  | 'gpu_busy'
  | 'label'
  | 'name'
  | 'not_ready'
  | 'draining'
  | 'cordoned'
  | 'reserved'
  | 'backoff';
