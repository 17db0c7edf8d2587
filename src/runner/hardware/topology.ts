import type { GpuLink } from '../../protocol/node-report.ts';

/** A link between two cards, by their index. */
export interface IndexedLink extends Pick<GpuLink, 'kind' | 'lanes'> {
  from: number;
  to: number;
}

const pcieKinds: Readonly<Record<string, GpuLink['kind']>> = {
  PIX: 'pix',
  PXB: 'pxb',
  PHB: 'phb',
  NODE: 'node',
  SYS: 'sys',
  // Names of drivers before 390.
  SOC: 'sys',
};

/**
 * Reads the matrix of `nvidia-smi topo -m`. Cells are parted by one tab each, and those behind the cards may be empty;
 * the header is underlined by escape sequences even in a pipe. What is no link that we know is left out.
 */
export function parseTopology(stdout: string): IndexedLink[] {
  // eslint-disable-next-line no-control-regex -- the escape sequences of the header
  const lines = stdout.replace(/\u001b\[[0-9;]*m/g, '').split('\n');
  const header = lines.findIndex((line) => /^\s+GPU\d+(?:\s|$)/.test(line));
  if (header < 0) return [];
  const columns = cells(lines[header] ?? '');
  return lines.slice(header + 1).flatMap((line) => rowLinks(columns, cells(line)));
}

function cells(line: string): string[] {
  return line.split('\t').map((cell) => cell.trim());
}

function rowLinks(columns: readonly string[], [name = '', ...row]: readonly string[]): IndexedLink[] {
  const from = cardIndex(name);
  if (from === null) return [];
  return row.flatMap((cell, at) => {
    const to = cardIndex(columns[at + 1] ?? '');
    const kind = linkOf(cell);
    return to === null || to === from || kind === null ? [] : [{ from, to, ...kind }];
  });
}

function cardIndex(name: string): number | null {
  const index = /^GPU(\d+)$/.exec(name)?.[1];
  return index === undefined ? null : Number(index);
}

function linkOf(cell: string): Pick<GpuLink, 'kind' | 'lanes'> | null {
  const lanes = /^NV(\d+)$/.exec(cell)?.[1];
  if (lanes !== undefined) return { kind: 'nvlink', lanes: Number(lanes) };
  const kind = pcieKinds[cell];
  return kind === undefined ? null : { kind, lanes: 0 };
}
