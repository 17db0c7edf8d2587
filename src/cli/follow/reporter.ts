import { isEnded } from '../../protocol/task-state.ts';
import type { TaskView } from '../../protocol/task-view.ts';
import type { Output } from '../cli.ts';
import type { CliError } from '../cli-error.ts';
import { countsText, endSentence } from '../output/task-text.ts';
import { createStatusLine } from './status-line.ts';
import { countStates, type Member } from './task-group.ts';

/** Tells on stderr what a followed task waits for; silent while it simply runs. */
export interface Reporter {
  onView(view: TaskView): void;
  onTrouble(error: CliError | null): void;
  /** How it ended, in a sentence. */
  onEnd(view: TaskView): void;
  /** How far several are. */
  onGroup(name: string, members: Iterable<Member>): void;
  /** Which of several did not succeed, and how. */
  onGroupEnd(name: string, members: readonly Member[]): void;
  /** Before something else is written. */
  clear(): void;
}

export function createReporter(stream: Output): Reporter {
  const line = createStatusLine(stream);
  return {
    onView(view) {
      if (isEnded(view.state) || (view.state === 'running' && view.reason === null)) line.clear();
      else line.show(waiting(view), `${view.state} ${view.reason?.code ?? ''} ${view.nodeName ?? ''}`);
    },
    onTrouble(error) {
      if (error) line.show(`weir: ${error.message}; trying again`, `away ${error.details.code}`);
      else line.clear();
    },
    onEnd(view) {
      line.clear();
      line.show(`weir: ${ending(view)}`);
    },
    onGroup(name, members) {
      line.show(`weir: ${name}: ${countsText(countStates(members))}`, name);
    },
    onGroupEnd(name, members) {
      line.clear();
      for (const { label, task } of members.filter((one) => one.task.state !== 'succeeded'))
        line.show(`weir: [${label}] ${ending(task)}`);
      line.show(`weir: ${name}: ${countsText(countStates(members))}`);
    },
    clear: line.clear,
  };
}

function waiting({ id, state, nodeName, reason }: TaskView): string {
  const where = nodeName === null ? '' : ` on ${nodeName}`;
  return `weir: ${id} is ${state}${where}${reason ? `: ${reason.message}` : ''}`;
}

function ending({ id, state, end }: Pick<TaskView, 'id' | 'state' | 'end'>): string {
  return `${id} ${state}${end ? `: ${endSentence(end)}` : ''}`;
}
