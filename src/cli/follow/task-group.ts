import { arrayOf } from '../../protocol/ids.ts';
import { listSchema } from '../../protocol/list.ts';
import type { TaskState } from '../../protocol/task-state.ts';
import { type TaskSummary, type TaskView, taskSummarySchema, taskViewSchema } from '../../protocol/task-view.ts';
import type { WeirEvent } from '../../protocol/event.ts';
import { type Api, path } from '../client/api.ts';
import { readPages } from '../client/pages.ts';
import { read } from '../client/read.ts';

/** A task that was submitted, and how its output is marked; of an array its members are followed. */
export interface Root {
  id: string;
  label: string;
  kind: 'task' | 'array';
}

export interface Member {
  label: string;
  task: TaskSummary;
}

/** What is known of the tasks under some roots: begun with a list, kept up to date by events. */
export interface TaskGroup {
  /** Reads them anew; answers behind which event they are to be followed. */
  load(signal: AbortSignal): Promise<number>;
  /** Takes over what an event says; events of others and of the past change nothing. */
  see(event: WeirEvent): Member | null;
  members(): Iterable<Member>;
}

const pageSchema = listSchema(taskViewSchema);

export function createTaskGroup(api: Api, roots: readonly Root[]): TaskGroup {
  const members = new Map<string, Member>();
  const arrays = new Map(roots.filter(({ kind }) => kind === 'array').map((root) => [root.id, root]));
  const take = (label: string, task: TaskSummary): Member | null => {
    const known = members.get(task.id);
    if (known && known.task.rev >= task.rev) return null;
    const member = { label, task };
    members.set(task.id, member);
    return member;
  };
  const labelOf = (id: TaskSummary['id']): string | null => {
    const place = arrayOf(id);
    const root = place && arrays.get(place.array);
    if (place && root) return memberLabel(root, place.index);
    return roots.find((one) => one.kind === 'task' && one.id === id)?.label ?? null;
  };
  return {
    async load(signal) {
      // The lists are read one behind the other: what happens meanwhile is told again by events behind the first.
      let asOf = Infinity;
      for (const root of roots) {
        const now = await readRoot(api, root, signal);
        asOf = Math.min(asOf, now.asOf);
        for (const view of now.views) take(labelOf(view.id) ?? root.label, view);
      }
      return asOf;
    },
    see({ subject, data }) {
      if (subject.kind !== 'task' || data === null) return null;
      const isOurs = roots.some(({ id }) => subject.id === id || subject.id.startsWith(`${id}.`));
      if (!isOurs) return null;
      const task = read(taskSummarySchema, data);
      const label = labelOf(task.id);
      return label === null ? null : take(label, task);
    },
    members: () => members.values(),
  };
}

const memberLabel = ({ label }: Root, index: number): string => (label === '' ? String(index) : `${label} ${index}`);

async function readRoot(
  api: Api,
  { id, kind }: Root,
  signal: AbortSignal,
): Promise<{ asOf: number; views: readonly TaskView[] }> {
  if (kind === 'task') {
    // A list, for its `asOf`, is read before the task: what the task shows is at least as new.
    const { asOf } = read(pageSchema, await api.json({ path: '/tasks', query: { limit: 1 } }, signal));
    return {
      asOf,
      views: [read(taskViewSchema, await api.json({ path: path('tasks', id) }, signal))],
    };
  }
  const query = { array: id, limit: 1000 };
  const list = await readPages(api, { path: '/tasks', query, pages: 'all' }, signal);
  const { asOf, items } = read(pageSchema, list);
  return { asOf, views: items };
}

/** How many of the tasks are in which state. */
export function countStates(members: Iterable<Member>): Partial<Record<TaskState, number>> {
  const counts: Partial<Record<TaskState, number>> = {};
  for (const { task } of members) counts[task.state] = (counts[task.state] ?? 0) + 1;
  return counts;
}
