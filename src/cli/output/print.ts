import { once } from 'node:events';
import { abortable } from '../../lib/abort.ts';
import { printable } from '../../lib/text.ts';
import type { Cli, Output } from '../cli.ts';

export const formats = ['table', 'wide', 'json', 'yaml', 'name'] as const;
export type Format = (typeof formats)[number];

/** A value and the ways to show it to people; `json` and `yaml` show it whole, as the Host answered. */
export interface Forms {
  value: unknown;
  table(): string;
  /** The table with more columns, where there are more. */
  wide?(): string;
  /** One id a line, for scripts. */
  name(): readonly string[];
}

export async function print(cli: Cli, format: Format, forms: Forms): Promise<void> {
  await write(cli.stdout, await textOf(format, forms), cli.signal);
}

export async function textOf(format: Format, forms: Forms): Promise<string> {
  switch (format) {
    case 'table':
      return forms.table();
    case 'wide':
      return forms.wide?.() ?? forms.table();
    case 'name':
      return forms
        .name()
        .map((one) => `${printable(one)}\n`)
        .join('');
    case 'json':
      return `${jsonText(forms.value, 2)}\n`;
    case 'yaml': {
      const { stringify } = await import('yaml');
      return printable(stringify(forms.value));
    }
  }
}

/** JSON whose strings hold no control character, not even those above 0x7e that JSON leaves as they are. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    // eslint-disable-next-line no-control-regex -- control characters are the subject
    /[\u007f-\u009f]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Writes and waits while the reader is slower; rejects with the signal's reason. */
export async function write(stream: Output, data: string | Uint8Array, signal: AbortSignal): Promise<void> {
  if (data.length === 0 || stream.write(data)) return;
  await abortable(once(stream, 'drain'), signal);
}
