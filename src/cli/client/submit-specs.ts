import type { TaskSpecInput } from '../../protocol/task-spec.ts';
import { type TaskView, taskViewSchema } from '../../protocol/task-view.ts';
import type { Cli } from '../cli.ts';
import type { Api } from './api.ts';
import { read } from './read.ts';
import { submit } from './submit.ts';

interface Submission {
  /** One spec, or an array of them that are taken all or none. */
  body: unknown;
  strict: true | undefined;
}

/** Submits; answers what the Host said, and the tasks in it. */
export async function submitSpecs(
  cli: Cli,
  api: Api,
  { body, strict }: Submission,
): Promise<{ answer: unknown; tasks: () => TaskView[] }> {
  const path = Array.isArray(body) ? '/tasks/batch' : '/tasks';
  const answer = await submit(cli, api, { path, query: { strict: strict && 'true' }, body });
  return { answer, tasks: () => itemsOf(answer).map((item) => read(taskViewSchema, item)) };
}

/** One spec goes by itself, several as one batch. */
export function bodyOf(specs: readonly [TaskSpecInput, ...TaskSpecInput[]]): unknown {
  return specs.length === 1 ? specs[0] : specs;
}

function itemsOf(answer: unknown): readonly unknown[] {
  const isBatch = typeof answer === 'object' && answer !== null && 'items' in answer && Array.isArray(answer.items);
  return isBatch ? (answer.items as unknown[]) : [answer];
}
