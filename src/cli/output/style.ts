import { styleText } from 'node:util';
import type { Cli, Output } from '../cli.ts';

type Format = Parameters<typeof styleText>[0];
export type Style = (format: Format, text: string) => string;

/** Colours on a terminal that has them, and nowhere else; never with `NO_COLOR` (https://no-color.org). */
export function createStyle(stream: Pick<Output, 'isTTY'>, env: Cli['env']): Style {
  const coloured = stream.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  return coloured ? (format, text) => styleText(format, text, { validateStream: false }) : (_, text) => text;
}

/** What a form leans on besides the value. */
export interface Look {
  style: Style;
  nowMs: number;
}

export function lookOf(cli: Cli): Look {
  return { style: createStyle(cli.stdout, cli.env), nowMs: cli.clock.now() };
}
