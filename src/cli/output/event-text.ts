import { printable } from '../../lib/text.ts';
import type { WeirEvent } from '../../protocol/event.ts';
import type { Style } from './style.ts';

const clean = (text: string): string => printable(text).replace(/[\n\t]+/g, ' ');

function detail({ data, attempt, actor }: WeirEvent): string {
  const parts: string[] = [];
  const name = data?.['name'];
  if (typeof name === 'string') parts.push(name);
  if (attempt !== undefined && attempt > 1) parts.push(`attempt ${attempt}`);
  if (actor !== undefined) parts.push(`by ${actor}`);
  const reason = data?.['end'] ?? data?.['reason'];
  if (typeof reason === 'object' && reason !== null && 'message' in reason && typeof reason.message === 'string') {
    parts.push(reason.message);
  }
  return parts.filter((part) => part !== '').join(', ');
}

/** An event on one line. */
export function eventLine(event: WeirEvent, style: Style): string {
  const head = `${event.at}  ${style('bold', event.type.padEnd(16))}  ${event.subject.id.padEnd(6)}`;
  return `${head}  ${clean(detail(event))}`.trimEnd();
}
