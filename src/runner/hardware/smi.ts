import type { Clock } from '../../lib/clock.ts';
import type { RunTool, ToolResult } from '../../lib/node/run-tool.ts';

/** What the driver's tool said; `fault` says why it may not be all, fit for a log. */
export interface SmiAnswer {
  /** `absent`: there is no such tool on this machine. */
  outcome: 'answered' | 'absent' | 'silent';
  stdout: string;
  fault: string | null;
}

/** `nvidia-smi` of this machine. */
export interface Smi {
  run(args: readonly string[], signal: AbortSignal): Promise<SmiAnswer>;
  /**
   * Runs one of its queries. A field has other names in other drivers: the first that the driver knows is taken, and
   * a field of which it knows none is left out of every row.
   */
  query(what: 'gpu' | 'compute-apps', fields: readonly SmiField[], signal: AbortSignal): Promise<SmiTable>;
}

/** The names of one field, newest first. */
export type SmiField = readonly [name: string, ...olderNames: string[]];

export interface SmiTable {
  answer: SmiAnswer;
  /** How many fields of each line stand for what was asked, in order; `null` for one that the driver does not know. */
  columns: readonly (string | null)[];
}

/** The tool takes seconds when the driver is not kept loaded. */
const timeoutMs = 20_000;
/** A tool that hung is left alone so long, doubling: each try may leave a process that cannot be killed. */
const firstRestMs = 60_000;
const longestRestMs = 900_000;

export function createSmi(ports: { run: RunTool; clock: Pick<Clock, 'monotonic'> }): Smi {
  const run = createPatientRun(ports);
  const unknown = new Set<string>();
  return {
    run,
    async query(what, fields, signal) {
      for (;;) {
        const columns = fields.map((names) => names.find((name) => !unknown.has(name)) ?? null);
        const wanted = columns.filter((name) => name !== null);
        const answer = await run([`--query-${what}=${wanted.join(',')}`, '--format=csv,noheader,nounits'], signal);
        const refused = refusedField(answer);
        if (refused === null || !wanted.includes(refused)) return { answer, columns };
        unknown.add(refused);
      }
    },
  };
}

function refusedField({ stdout, fault }: SmiAnswer): string | null {
  return /Field "([^"]+)" is not a valid field to query/.exec(`${stdout}\n${fault ?? ''}`)?.[1] ?? null;
}

function createPatientRun({ run, clock }: { run: RunTool; clock: Pick<Clock, 'monotonic'> }): Smi['run'] {
  let restUntilMs = -Infinity;
  let restMs = firstRestMs;
  let hung: ToolResult | null = null;
  return async (args, signal) => {
    if (hung !== null && clock.monotonic() < restUntilMs) return answerOf(hung);
    const result = await run(['nvidia-smi', ...args], { timeoutMs }, signal);
    hung = result.outcome === 'timed_out' ? result : null;
    if (hung === null) restMs = firstRestMs;
    else {
      restUntilMs = clock.monotonic() + restMs;
      restMs = Math.min(2 * restMs, longestRestMs);
    }
    return answerOf(result);
  };
}

/** Code 6 is "no devices". */
const codeOfNone = 6;

function answerOf(result: ToolResult): SmiAnswer {
  if (result.outcome === 'absent') return { outcome: 'absent', stdout: '', fault: null };
  if (result.outcome === 'timed_out') {
    const fault = `nvidia-smi did not answer within ${result.afterMs / 1000} s; the driver may hang`;
    return { outcome: 'silent', stdout: '', fault };
  }
  const { code, stdout, stderr } = result;
  const fine = code === 0 || (code === codeOfNone && /No devices/i.test(stdout + stderr));
  return { outcome: 'answered', stdout, fault: fine ? null : `nvidia-smi ended with code ${code}: ${stderr.trim()}` };
}
