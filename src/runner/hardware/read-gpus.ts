import type { GpuLink, GpuLoad, GpuReport } from '../../protocol/node-report.ts';
import { loadFields, parseGpuLoads, type CardLoad } from './gpu-load.ts';
import { listingFields, parseListing, type ListedCard } from './gpu-listing.ts';
import { parseGpuProcesses, processFields, type GpuProcess } from './gpu-processes.ts';
import type { MachineFiles } from './machine-files.ts';
import { parseInstanceMemory, parseInstances, profileBytes, type InstanceMemory } from './mig.ts';
import type { Smi } from './smi.ts';
import { parseTopology, type IndexedLink } from './topology.ts';

/** `fault`: why the list may be short of GPUs that are there; a machine without the tool has none, and no fault. */
export interface GpuReading {
  gpus: GpuReport[];
  /** UUIDs of the cards that answered. */
  cards: string[];
  fault: string | null;
}

/** Lists what work can hold: whole cards, and the instances of those that are split. */
export async function readGpus(files: MachineFiles, smi: Smi, signal: AbortSignal): Promise<GpuReading> {
  const { answer, columns } = await smi.query('gpu', listingFields, signal);
  const { cards, faults } = parseListing(answer.stdout, columns);
  const split = await readInstances(smi, cards, signal);
  const links = await readLinks(smi, cards, signal);
  // Half an answer would take instances away that are there.
  const broken = split.fault ?? links.fault;
  if (broken !== null) return { gpus: [], cards: [], fault: broken };
  const gpus: GpuReport[] = [];
  for (const card of cards) {
    const numaNode = await readNumaNode(files, card.pciBusId);
    if (card.migEnabled) gpus.push(...split.of(card).map((one) => ({ ...common(card), ...one, numaNode, links: [] })));
    else
      gpus.push({
        ...common(card),
        numaNode,
        memoryBytes: card.memoryBytes,
        mig: null,
        links: linksOf(card, cards, links.all),
      });
  }
  return { gpus, cards: cards.map(({ uuid }) => uuid), fault: faultOf(answer.fault, faults) };
}

interface Instances {
  fault: string | null;
  of(card: ListedCard): Pick<GpuReport, 'uuid' | 'memoryBytes' | 'mig'>[];
}

async function readInstances(smi: Smi, cards: readonly ListedCard[], signal: AbortSignal): Promise<Instances> {
  if (!cards.some((card) => card.migEnabled)) return { fault: null, of: () => [] };
  const listing = await smi.run(['-L'], signal);
  const details = await smi.run(['-q', '-x'], signal);
  const listed = parseInstances(listing.stdout);
  const memories = parseInstanceMemory(details.stdout);
  return {
    fault: listing.fault ?? details.fault,
    of: (card) =>
      listed
        .filter(({ parent }) => parent === card.uuid)
        .map(({ uuid, parent, profile, device }) => {
          const told = memories.find((each) => each.parent === parent && each.device === device);
          return { uuid, memoryBytes: told?.totalBytes ?? profileBytes(profile), mig: { parent, profile, device } };
        }),
  };
}

/** A tool that answers no matrix has none (a virtual machine): only one that hangs is a fault. */
async function readLinks(smi: Smi, cards: readonly ListedCard[], signal: AbortSignal) {
  if (cards.filter((card) => !card.migEnabled).length < 2) return { fault: null, all: [] };
  const { outcome, stdout, fault } = await smi.run(['topo', '-m'], signal);
  return { fault: outcome === 'silent' ? fault : null, all: parseTopology(stdout) };
}

function common({ uuid, index, model, pciBusId }: ListedCard) {
  return { uuid, index, model, pciBusId };
}

function linksOf(card: ListedCard, cards: readonly ListedCard[], links: readonly IndexedLink[]): GpuLink[] {
  return links.flatMap(({ from, to, kind, lanes }) => {
    const other = cards.find(({ index, migEnabled }) => index === to && !migEnabled);
    return from === card.index && other !== undefined ? [{ uuid: other.uuid, kind, lanes }] : [];
  });
}

function faultOf(fault: string | null, lines: readonly string[]): string | null {
  return lines.length > 0 ? `nvidia-smi said: ${lines.join('; ')}` : fault;
}

async function readNumaNode(files: MachineFiles, address: string | null): Promise<number | null> {
  if (address === null) return null;
  const node = await files.number(`sys/bus/pci/devices/${address}/numa_node`);
  // −1 where the firmware does not say.
  return node === null || node < 0 ? null : node;
}

/** How busy the GPUs are, by what is known of them. */
export interface GpuSample {
  loads: GpuLoad[];
  /** UUIDs of the cards that answered. */
  cards: string[];
  fault: string | null;
}

export async function readGpuLoads(
  smi: Smi,
  { gpus, xids }: { gpus: readonly GpuReport[]; xids: ReadonlyMap<string, number> },
  signal: AbortSignal,
): Promise<GpuSample> {
  const { answer, columns } = await smi.query('gpu', loadFields, signal);
  const { loads: cards, faults } = parseGpuLoads(answer.stdout, columns);
  const isSplit = gpus.some((gpu) => gpu.mig);
  const memories =
    isSplit && answer.fault === null ? parseInstanceMemory((await smi.run(['-q', '-x'], signal)).stdout) : [];
  const loads = gpus.flatMap((gpu): GpuLoad[] => {
    const card = cards.find(({ uuid }) => uuid === (gpu.mig?.parent ?? gpu.uuid));
    if (card === undefined) return [];
    const xid = xids.get(gpu.pciBusId ?? '') ?? null;
    return [{ ...(gpu.mig ? instanceLoad(gpu, card, memories) : card), xid }];
  });
  return { loads, cards: cards.map(({ uuid }) => uuid), fault: faultOf(answer.fault, faults) };
}

/** Power is the card's, and counted once; how busy an instance is nobody tells. */
function instanceLoad({ uuid, mig }: GpuReport, card: CardLoad, memories: readonly InstanceMemory[]): CardLoad {
  const own = memories.find(({ parent, device }) => parent === mig?.parent && device === mig.device);
  return {
    ...card,
    uuid,
    utilisationPercent: null,
    memoryUsedBytes: own?.usedBytes ?? null,
    powerWatts: null,
    powerLimitWatts: null,
  };
}

export async function readGpuProcesses(smi: Smi, signal: AbortSignal): Promise<GpuProcess[]> {
  const { answer, columns } = await smi.query('compute-apps', processFields, signal);
  return parseGpuProcesses(answer.stdout, columns);
}
