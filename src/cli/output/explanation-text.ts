import type { DryRun, Explanation } from '../../protocol/task-view.ts';
import { resourcesText } from './spec-text.ts';
import type { Style } from './style.ts';
import { sheet, table } from './table.ts';

type Judged = Omit<Explanation, 'id'>;

/** Why a task is where it is, node by node, and what would change it. */
export function explanationText(told: Explanation, style: Style): string {
  const head = sheet([
    ['task', told.id],
    ['state', told.state],
    ['reason', told.reason?.message ?? null],
    ['advice', told.reason?.advice ?? null],
    ...queueRows(told),
  ]);
  return withNodes(head, told, style);
}

/** What the scheduler would do with a task that is not there yet; `node` is what the node is called. */
export function dryRunText({ task, explanation, startsNow }: DryRun, node: string, style: Style): string {
  const image = task.spec['image'];
  const gpus = startsNow?.gpus.length ? ` with ${startsNow.gpus.join(', ')}` : '';
  const head = sheet([
    ['would start', startsNow ? `now, on ${node}${gpus}` : 'later'],
    ['image', typeof image === 'string' ? image : null],
    ['asks for', resourcesText(task.spec)],
    ['reason', startsNow ? null : (explanation.reason?.message ?? null)],
    ['advice', startsNow ? null : (explanation.reason?.advice ?? null)],
    ...(startsNow ? [] : queueRows(explanation)),
  ]);
  return withNodes(head, explanation, style);
}

const queueRows = ({ position, ahead, wouldHelp }: Judged) =>
  [
    ['position', position === null ? null : String(position)],
    ['behind', ahead.length > 0 ? ahead.join(', ') : null],
    ...wouldHelp.map((one) => ['would help', one] as const),
  ] as const;

function withNodes(head: string, { nodes }: Judged, style: Style): string {
  if (nodes.length === 0) return head;
  const rows = nodes.map((one) => [
    one.nodeName,
    {
      text: one.fits ? 'yes' : 'no',
      style: (text: string) => style(one.fits ? 'green' : 'red', text),
    },
    one.cause ?? '',
    one.detail,
  ]);
  return `${head}\n${table(['NODE', 'FITS', 'CAUSE', 'DETAIL'], rows)}`;
}
