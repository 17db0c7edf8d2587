import { createWake, type Wake } from '../../../lib/wake.ts';
import type { NodeId } from '../../../protocol/ids.ts';
import type { PlanMemory, Wakes } from '../../context.ts';
import type { Plan } from '../../scheduling/plan.ts';

export function createWakes(): Wakes {
  const nodes = new Map<NodeId, Wake>();
  return {
    reconcile: createWake(),
    events: createWake(),
    node(id) {
      const known = nodes.get(id) ?? createWake();
      nodes.set(id, known);
      return known;
    },
  };
}

export function createPlanMemory(): PlanMemory {
  let last: Plan | null = null;
  return {
    last: () => last,
    keep(plan) {
      last = plan;
    },
  };
}
