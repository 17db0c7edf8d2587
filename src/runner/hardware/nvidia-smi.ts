/** One GPU as `nvidia-smi` lists it. */
export interface ListedGpu {
  index: number;
  uuid: string;
  model: string;
  /** 0 when the tool does not say: memory shared with the CPU. */
  memoryBytes: number;
  /** As sysfs spells it: `0000:3b:00.0`. */
  pciAddress: string | null;
}

export interface GpuListing {
  gpus: ListedGpu[];
  /** Lines that are no GPU: a lost device says so in the middle of the list. */
  faults: string[];
}

export const listGpusArgv = [
  'nvidia-smi',
  '--query-gpu=index,uuid,name,memory.total,pci.bus_id',
  '--format=csv,noheader,nounits',
] as const;

/** Reads what `listGpusArgv` prints; memory is in MiB. The name may hold commas. */
export function parseGpuListing(stdout: string): GpuListing {
  const listing: GpuListing = { gpus: [], faults: [] };
  for (const line of stdout.split('\n').map((each) => each.trim())) {
    if (line === '' || line === 'No devices were found') continue;
    const gpu = parseLine(line);
    if (gpu) listing.gpus.push(gpu);
    else listing.faults.push(line);
  }
  return listing;
}

function parseLine(line: string): ListedGpu | null {
  const fields = line.split(',').map((field) => field.trim());
  const [index = '', uuid = ''] = fields;
  const [memoryMib = '', bus = ''] = fields.slice(-2);
  if (fields.length < 5 || !/^\d+$/.test(index) || !/^GPU-[0-9a-f-]{8,}$/i.test(uuid)) return null;
  return {
    index: Number(index),
    uuid,
    model: fields.slice(2, -2).join(', '),
    memoryBytes: /^\d+$/.test(memoryMib) ? Number(memoryMib) * 1024 * 1024 : 0,
    pciAddress: pciAddress(bus),
  };
}

/** `00000000:3B:00.0` → `0000:3b:00.0`; sysfs writes domains beyond 16 bits in full. */
function pciAddress(bus: string): string | null {
  const [, domain, rest] = /^([0-9a-f]{4,8}):([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])$/i.exec(bus) ?? [];
  if (domain === undefined || rest === undefined) return null;
  return `${Number.parseInt(domain, 16).toString(16).padStart(4, '0')}:${rest.toLowerCase()}`;
}
