import type { Clock } from '../../lib/clock.ts';
import type { NodeId } from '../../protocol/ids.ts';
import type { Load } from '../../protocol/node-report.ts';
import type { Presence } from '../context.ts';

export function createPresence(clock: Clock): Presence {
  const contacts = new Map<NodeId, number>();
  const loads = new Map<NodeId, Load>();
  return {
    contact(id) {
      contacts.set(id, clock.monotonic());
    },
    lastContactMs: (id) => contacts.get(id) ?? null,
    setLoad(id, load) {
      loads.set(id, load);
    },
    load: (id) => loads.get(id) ?? null,
    forget(id) {
      contacts.delete(id);
      loads.delete(id);
    },
  };
}
