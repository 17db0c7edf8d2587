import { InvalidArgumentError } from '@commander-js/extra-typings';
import { parseDuration } from '../lib/duration.ts';

/** Gathers an option that is given several times. */
export const collect = (value: string, before: readonly string[] | undefined): string[] => [...(before ?? []), value];

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('It must be a whole number.');
}

export function decimal(text: string): number {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a number such as 2 or 0.5.');
}

/** `30s`, `1h30m` into milliseconds. */
export function durationMs(text: string): number {
  const ms = parseDuration(text);
  if (ms !== null) return ms;
  throw new InvalidArgumentError('It must be a duration such as 30s or 1h30m.');
}

/** `KEY=VALUE` pairs into an object; a later one wins. */
export function pairs(texts: readonly string[], option: string): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new InvalidArgumentError(`${option} ${JSON.stringify(text)}: it must be KEY=VALUE.`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
