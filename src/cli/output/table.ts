import { printable } from '../../lib/text.ts';

/** Text with a style; the style takes no width. */
export interface Cell {
  text: string;
  style?: (text: string) => string;
}

const clean = (text: string): string =>
  printable(text)
    .replace(/[\n\t]+/g, ' ')
    .trimEnd();
const widthOf = (text: string): number => Array.from(text).length;

/** Columns aligned by spaces, two between them; no rules, nothing behind the last. What is empty becomes `-`. */
export function table(header: readonly string[], rows: readonly (readonly (Cell | string)[])[]): string {
  return align([header, ...rows]);
}

/** One thing as a column of names and a column of values; what is `null` is left out. */
export function sheet(entries: readonly (readonly [string, Cell | string | null])[]): string {
  return align(entries.flatMap(([key, value]) => (value === null ? [] : [[`${key}:`, value]])));
}

function align(rows: readonly (readonly (Cell | string)[])[]): string {
  const cells = rows.map((row) => row.map(toCell));
  const columns = Math.max(0, ...cells.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...cells.map((row) => widthOf(row[column]?.text ?? ''))),
  );
  return cells.map((row) => `${lineOf(row, widths)}\n`).join('');
}

function lineOf(row: readonly Cell[], widths: readonly number[]): string {
  const padded = row.map((cell, column) => {
    const styled = cell.style ? cell.style(cell.text) : cell.text;
    const missing = column === row.length - 1 ? 0 : (widths[column] ?? 0) - widthOf(cell.text);
    return styled + ' '.repeat(missing);
  });
  return padded.join('  ');
}

function toCell(cell: Cell | string): Cell {
  const { text, style } = typeof cell === 'string' ? { text: cell } : cell;
  const shown = clean(text) || '-';
  return style ? { text: shown, style } : { text: shown };
}
