import { formatBytes } from '../../../lib/bytes.ts';

/** One line of the engine's answer to a pull. */
export interface PullLine {
  status?: string;
  id?: string;
  error?: string;
  progressDetail?: { current?: number; total?: number };
}

interface Layer {
  done: boolean;
  currentBytes: number;
  totalBytes: number;
}

/** Sums up the lines of a pull: how many layers are done and how much was fetched. */
export interface PullProgress {
  /** Takes a line and says what a person would like to see; `null` while there is nothing. */
  add(line: PullLine): string | null;
}

const doneStatus = new Set(['Pull complete', 'Already exists']);
const fetchedStatus = new Set(['Download complete', 'Verifying Checksum', 'Extracting', 'Pull complete']);

export function createPullProgress(): PullProgress {
  const layers = new Map<string, Layer>();
  return {
    add(line) {
      if (line.id !== undefined && isLayer(line)) layers.set(line.id, advance(layers.get(line.id), line));
      return layers.size === 0 ? null : describe([...layers.values()]);
    },
  };
}

/** The line that names the tag carries an id too: the tag's. */
function isLayer(line: PullLine): boolean {
  return !(line.status ?? '').startsWith('Pulling from') && line.status !== undefined;
}

function advance(before: Layer | undefined, line: PullLine): Layer {
  const layer = before ?? { done: false, currentBytes: 0, totalBytes: 0 };
  const status = line.status ?? '';
  if (status === 'Downloading') {
    const { current = 0, total = 0 } = line.progressDetail ?? {};
    return { ...layer, currentBytes: current, totalBytes: Math.max(total, current) };
  }
  const fetched = fetchedStatus.has(status) ? layer.totalBytes : layer.currentBytes;
  return { ...layer, currentBytes: fetched, done: layer.done || doneStatus.has(status) };
}

function describe(layers: readonly Layer[]): string {
  const done = layers.filter((layer) => layer.done).length;
  const currentBytes = layers.reduce((sum, layer) => sum + layer.currentBytes, 0);
  const totalBytes = layers.reduce((sum, layer) => sum + layer.totalBytes, 0);
  const counted = `${done} of ${layers.length} layers`;
  return totalBytes === 0 ? counted : `${counted}, ${formatBytes(currentBytes)} of ${formatBytes(totalBytes)}`;
}
