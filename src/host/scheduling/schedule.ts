import { judge } from './judge.ts';
import { messageFor } from './messages.ts';
import { newPass, type Pass } from './pass.ts';
import type { Plan, ReasonClass } from './plan.ts';
import { readQueue, type Entry, type Queue } from './queue.ts';
import { adviceByReason, type ReasonCode } from './reasons.ts';
import { refusalsByCause } from './refusals.ts';
import type { Held, Policy, Snapshot } from './snapshot.ts';
import { hasFailed, walk } from './walk.ts';

/** How soon the next pass goes on where the budget of this one ended. */
const resumeAfterMs = 1000;

/** One pass: what starts where, why the rest waits, and what the next pass must know. */
export function schedule(snapshot: Snapshot, policy: Policy): Plan {
  const { pass, queue, resume } = runPass(snapshot, policy);
  const { reasons, classes } = reasonsOf(pass, queue);
  return {
    starts: pass.starts,
    reasons,
    classes,
    held: heldAfter(pass, resume),
    nextWakeMs: nextWake(pass, queue, { resume, nextEligibleMs: snapshot.nextEligibleMs ?? null }),
  };
}

export interface EndedPass {
  pass: Pass;
  queue: Queue;
  resume: Held['resume'];
}

/** The walk alone: what a plan and an explanation are read from. */
export function runPass(snapshot: Snapshot, policy: Policy): EndedPass {
  const pass = newPass(snapshot, policy);
  const queue = readQueue(snapshot, policy, pass.book);
  const open = queue.entries.filter(({ outcome }) => outcome === 'unseen');
  const resume = walk(pass, open, snapshot.held.resume);
  return { pass, queue, resume };
}

function reasonsOf(pass: Pass, queue: Queue): Pick<Plan, 'reasons' | 'classes'> {
  const reasons = new Map<string, number>();
  const classes: ReasonClass[] = [];
  const known = new Map<number, Map<number, number>>();

  for (const { taskId, message } of queue.faults) {
    reasons.set(taskId, classes.push(faultClass(message)) - 1);
  }
  for (const entry of queue.entries) {
    if (entry.outcome === 'starts') continue;
    const ofClass = known.get(entry.priority) ?? new Map<number, number>();
    known.set(entry.priority, ofClass);
    const key = sharedKey(pass, entry);
    const index = ofClass.get(key) ?? classes.push(classOf(pass, entry)) - 1;
    if (key !== unshared) ofClass.set(key, index);
    reasons.set(entry.id, index);
  }
  return { reasons, classes };
}

const unshared = -2;
const notSeen = -1;
const capped = -3;

/** Entries of one priority and key get one answer, as `judge` looks at nothing else. */
function sharedKey(pass: Pass, entry: Entry): number {
  if (typeof entry.outcome === 'object') return unshared;
  if (entry.outcome === 'capped') return capped;
  return hasFailed(pass, entry) ? entry.shape.index : notSeen;
}

export function classOf(pass: Pass, entry: Entry): ReasonClass {
  if (typeof entry.outcome === 'object') return faultClass(entry.outcome.fault);
  const code = judge(pass, entry);
  const { shape } = entry;
  const failedLimitMs = pass.failedLimitMs[shape.index] ?? entry.limitMs;
  return {
    code,
    message: messageFor(code, shape, pass.table),
    advice: adviceByReason[code],
    get nodes() {
      if (code === 'depth' || code === 'array_cap') return [];
      return refusalsByCause(pass, { shape, endMs: pass.nowMs + failedLimitMs });
    },
  };
}

export function faultClass(message: string): ReasonClass {
  const code: ReasonCode = 'internal';
  return {
    code,
    message: `Planning this task failed: ${message}.`,
    advice: adviceByReason[code],
    nodes: [],
  };
}

function heldAfter(pass: Pass, resume: Held['resume']): Held {
  const reservations = pass.reservations.map(({ pool, taskId }) => ({ pool, taskId }));
  return resume ? { reservations, resume } : { reservations };
}

/** The first backoff that ends or task that comes into the queue, or soon when the pass ran out of its budget. */
function nextWake(
  pass: Pass,
  queue: Queue,
  { resume, nextEligibleMs }: { resume: Held['resume']; nextEligibleMs: number | null },
): number | null {
  let nextMs = nextEligibleMs ?? Infinity;
  if (resume) nextMs = Math.min(nextMs, pass.nowMs + resumeAfterMs);
  for (const { outcome, shape } of queue.entries) {
    if (outcome === 'starts' || outcome === 'capped' || shape.avoided.size === 0) continue;
    for (const untilMs of shape.avoided.values()) nextMs = Math.min(nextMs, untilMs);
  }
  return Number.isFinite(nextMs) ? nextMs : null;
}
