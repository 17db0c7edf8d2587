/** One MIG instance as `nvidia-smi -L` lists it below its card. */
export interface ListedInstance {
  /** UUID of the card. */
  parent: string;
  /** Counts the instances of the card. */
  device: number;
  uuid: string;
  /** `3g.20gb`, with compute instances `1c.3g.20gb`, with attributes `1g.10gb+me`. */
  profile: string;
}

/** Reads the instances in what `nvidia-smi -L` prints. */
export function parseInstances(stdout: string): ListedInstance[] {
  const instances: ListedInstance[] = [];
  let parent: string | null = null;
  for (const line of stdout.split('\n')) {
    const card = /^GPU +\d+: .*\(UUID: (GPU-[0-9a-f-]+)\)\s*$/i.exec(line)?.[1];
    if (card !== undefined) parent = card;
    else if (!line.startsWith(' ')) parent = null;
    // The UUID of drivers before 470 is `MIG-GPU-…/1/0`.
    const [, profile, device, uuid] = /^\s+MIG +(\S+) +Device +(\d+): \(UUID: (MIG-[\w/-]+)\)\s*$/.exec(line) ?? [];
    if (parent === null || profile === undefined || uuid === undefined) continue;
    instances.push({ parent, device: Number(device), uuid, profile });
  }
  return instances;
}

export interface InstanceMemory {
  parent: string;
  device: number;
  totalBytes: number | null;
  usedBytes: number | null;
}

/** Reads the memory of MIG instances in what `nvidia-smi -q -x` prints: no other query tells it. */
export function parseInstanceMemory(xml: string): InstanceMemory[] {
  return blocks(xml, 'gpu').flatMap((card) => {
    const parent = field(card.replace(/<mig_devices>[\s\S]*<\/mig_devices>/, ''), 'uuid');
    if (parent === null) return [];
    return blocks(card, 'mig_device').flatMap((instance) => {
      const device = field(instance, 'index');
      const [memory = ''] = blocks(instance, 'fb_memory_usage');
      if (device === null || !/^\d+$/.test(device)) return [];
      return {
        parent,
        device: Number(device),
        totalBytes: mib(field(memory, 'total')),
        usedBytes: mib(field(memory, 'used')),
      };
    });
  });
}

function blocks(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}(?: [^>]*)?>([\\s\\S]*?)</${name}>`, 'g'))].map(([, body = '']) => body);
}

function field(xml: string, name: string): string | null {
  return new RegExp(`<${name}>\\s*([^<]*?)\\s*</${name}>`).exec(xml)?.[1] ?? null;
}

function mib(text: string | null): number | null {
  const number = /^(\d+) MiB$/.exec(text ?? '')?.[1];
  return number === undefined ? null : Number(number) * 1024 * 1024;
}

/**
 * The memory that the name of a profile promises; 0 when it promises none. Its "gb" taken as 10⁹ bytes is a little
 * below what such an instance has (4,864 MiB for 5gb, 19,968 MiB for 20gb), so that never too much is promised.
 */
export function profileBytes(profile: string): number {
  const gb = /(?:^|\.)(\d+)gb(?:\+|$)/.exec(profile)?.[1];
  return gb === undefined ? 0 : Number(gb) * 1e9;
}
