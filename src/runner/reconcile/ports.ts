import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Backend } from '../backend/backend.ts';
import type { Journal } from '../journal/journal.ts';
import type { LogKeeper } from '../logs/log-keeper.ts';
import type { HostClock } from '../time/host-clock.ts';
import type { Workloads } from './workloads.ts';

export interface ReconcilerOptions {
  backend: Backend;
  journal: Journal;
  logs: Pick<LogKeeper, 'follow' | 'complete'>;
  clock: Clock;
  hostClock: HostClock;
  log: Logger;
  node: { id: string; name: string };
}

/** What a step works with. */
export type StepContext = ReconcilerOptions & { workloads: Workloads };
