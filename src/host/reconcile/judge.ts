import type { NodeId } from '../../protocol/ids.ts';
import type { NodeState } from '../../protocol/node-view.ts';

/** What is known of one node when it is judged. */
export interface Judged {
  id: NodeId;
  state: NodeState;
  /** Since its last contact, or since judging began where there was none. */
  silentMs: number;
}

export interface JudgeLimits {
  suspectMs: number;
  unreachableMs: number;
}

export interface Verdict {
  id: NodeId;
  from: NodeState;
  to: 'suspect' | 'unreachable';
}

/**
 * Which nodes are to be shown as worse than they are, by their silence. `unreachable` changes nothing for running
 * work. When more than half of the nodes went silent within the `unreachable` time it is taken for the Host's own
 * fault, and in a cluster of one or two nodes it always is: then nobody is called unreachable.
 */
export function judgeNodes(nodes: readonly Judged[], limits: JudgeLimits): Verdict[] {
  const present = nodes.filter((node) => node.state !== 'lost');
  const vanishing = present.filter((node) => node.state !== 'unreachable' && node.silentMs >= limits.suspectMs);
  const ownFault = present.length <= 2 || vanishing.length * 2 > present.length;
  return vanishing.flatMap(({ id, state, silentMs }): Verdict[] => {
    if (silentMs >= limits.unreachableMs && !ownFault) return [{ id, from: state, to: 'unreachable' }];
    return state === 'ready' ? [{ id, from: state, to: 'suspect' }] : [];
  });
}
