import type { SmiField } from './smi.ts';
import { parseSmiRows, pciBusId, smiBytes } from './smi-rows.ts';

/** One card as `nvidia-smi` lists it. */
export interface ListedCard {
  index: number;
  uuid: string;
  model: string;
  /** 0 when the tool does not say: memory shared with the CPU. */
  memoryBytes: number;
  pciBusId: string | null;
  /** It is split, or waits to be: the card itself can hold no work. */
  migEnabled: boolean;
}

/** The name is last: it may hold commas. */
export const listingFields = [
  ['uuid'],
  ['index'],
  ['memory.total'],
  ['pci.bus_id'],
  ['mig.mode.current'],
  ['name'],
] as const satisfies readonly SmiField[];

export const cardUuid = /^GPU-[0-9a-f-]{8,}$/i;

export function parseListing(
  stdout: string,
  columns: readonly (string | null)[],
): { cards: ListedCard[]; faults: string[] } {
  const { rows, faults } = parseSmiRows(stdout, { columns, isFirst: cardUuid });
  const cards: ListedCard[] = [];
  for (const row of rows) {
    const [uuid = '', index = '', memory, bus = '', mig, model = ''] = row;
    if (!/^\d+$/.test(index)) {
      faults.push(row.join(', '));
      continue;
    }
    cards.push({
      index: Number(index),
      uuid,
      model,
      memoryBytes: smiBytes(memory) ?? 0,
      pciBusId: pciBusId(bus),
      migEnabled: mig === 'Enabled',
    });
  }
  return { cards, faults };
}
