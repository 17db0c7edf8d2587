import { plural } from './amounts.ts';
import type { Counterfactual } from './counterfactuals.ts';

/** `With a time limit of at most 2 h it would start now on gpu-1.` */
export function counterfactualText(counterfactual: Counterfactual): string {
  return `With${changeText(counterfactual)} it would start now on ${counterfactual.nodeName}.`;
}

function changeText(counterfactual: Counterfactual): string {
  switch (counterfactual.change) {
    case 'limit':
      return ` a time limit of at most ${durationText(counterfactual.limitMs)}`;
    case 'gpus':
      return ` ${plural(counterfactual.count, 'GPU')}`;
    case 'constraint':
      return `out its ${constraintNoun[counterfactual.without]}`;
  }
}

const constraintNoun = {
  node: 'node constraint',
  labels: 'label constraint',
  'node and labels': 'node and label constraints',
  'GPU model': 'GPU model',
  'GPU memory': 'least GPU memory',
  'NUMA node': 'NUMA node',
} as const;

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

/** The two largest units, rounded down: a limit that is said must still do. */
function durationText(ms: number): string {
  const first = units.findIndex(([, size]) => ms >= size);
  const parts: string[] = [];
  let restMs = ms;
  for (const [unit, size] of units.slice(Math.max(0, first)).slice(0, 2)) {
    const count = Math.floor(restMs / size);
    restMs -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.join(' ');
}
