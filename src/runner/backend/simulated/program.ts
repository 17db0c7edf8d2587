import { parseBytes } from '../../../lib/bytes.ts';
import { parseDuration } from '../../../lib/duration.ts';
import type { Signal } from '../../../protocol/task-spec.ts';
import { signals } from '../../../protocol/task-spec.ts';

/** One thing that a simulated process does. */
export type Step =
  | { kind: 'print' | 'warn'; text: string }
  | { kind: 'sleep' | 'work'; ms: number }
  | { kind: 'allocate'; bytes: number }
  | { kind: 'ignore'; signal: Signal }
  | { kind: 'exit'; code: number };

/**
 * Reads the argv of a simulated process: words in pairs, done in order, and `exit 0` at the end.
 *
 *     print TEXT · warn TEXT · sleep 5s · work 5s (uses a core) · allocate 64MiB · ignore SIGTERM · exit 3
 *
 * @returns the first word that says nothing, when there is one
 */
export function parseProgram(argv: readonly string[]): readonly Step[] | { unknown: string } {
  const steps: Step[] = [];
  for (let at = 0; at < argv.length; at += 2) {
    const word = argv[at] ?? '';
    const step = parseStep(word, argv[at + 1] ?? '');
    if (step === null) return { unknown: word };
    steps.push(step);
  }
  return steps;
}

function parseStep(word: string, value: string): Step | null {
  switch (word) {
    case 'print':
    case 'warn':
      return { kind: word, text: value };
    case 'sleep':
    case 'work': {
      const ms = parseDuration(value);
      return ms === null ? null : { kind: word, ms };
    }
    case 'allocate': {
      const bytes = parseBytes(value);
      return bytes === null ? null : { kind: word, bytes };
    }
    case 'ignore': {
      const signal = signals.find((name) => name === value);
      return signal === undefined ? null : { kind: word, signal };
    }
    case 'exit':
      return /^\d{1,3}$/.test(value) ? { kind: word, code: Number(value) } : null;
    default:
      return null;
  }
}
