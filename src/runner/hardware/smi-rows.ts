/** One line of a query of the driver's tool: the value of each field that was asked for, `''` where it has none. */
export type SmiRow = readonly string[];

export interface SmiRows {
  rows: SmiRow[];
  /** Lines that are no row: a lost device says so in the middle of the list. */
  faults: string[];
}

/**
 * Reads what `--format=csv,noheader,nounits` prints. `columns` are the fields that were asked for; one that is `null`
 * was left out. The last one may hold commas. A row whose first field is not what `isFirst` wants is a fault.
 */
export function parseSmiRows(
  stdout: string,
  { columns, isFirst }: { columns: readonly (string | null)[]; isFirst: RegExp },
): SmiRows {
  const asked = columns.filter((name) => name !== null).length;
  const read: SmiRows = { rows: [], faults: [] };
  for (const line of stdout.split('\n').map((each) => each.trim())) {
    if (line === '' || line === 'No devices were found') continue;
    const fields = line.split(',').map((field) => field.trim());
    if (fields.length < asked || !isFirst.test(fields[0] ?? '')) {
      read.faults.push([...new Set(fields)].join(', '));
      continue;
    }
    const values = [...fields.slice(0, asked - 1), fields.slice(asked - 1).join(', ')];
    read.rows.push(columns.map((name) => (name === null ? '' : (values.shift() ?? ''))));
  }
  return read;
}

/** `[N/A]`, `[Not Supported]`, `[Unknown Error]`, `ERR!`, `[GPU is lost]` and whatever else is no number are `null`. */
export function smiNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}

/** Of a value in MiB. */
export function smiBytes(text: string | undefined): number | null {
  const mib = smiNumber(text);
  return mib === null ? null : Math.round(mib * 1024 * 1024);
}

/** `00000000:3B:00.0` → `0000:3b:00.0`; sysfs writes domains beyond 16 bits in full. */
export function pciBusId(text: string): string | null {
  const [, domain, rest] = /^([0-9a-f]{4,8}):([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])$/i.exec(text) ?? [];
  if (domain === undefined || rest === undefined) return null;
  return `${Number.parseInt(domain, 16).toString(16).padStart(4, '0')}:${rest.toLowerCase()}`;
}
