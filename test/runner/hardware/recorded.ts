import { readFileSync } from 'node:fs';
import type { RunTool, ToolResult } from '../../../src/lib/node/run-tool.ts';

/** What the driver's tool printed on some machine. */
export function recorded(name: string): string {
  return readFileSync(new URL(`../../fixtures/nvidia-smi/${name}`, import.meta.url), 'utf8');
}

export const exited = (stdout: string, code = 0, stderr = ''): ToolResult => ({
  outcome: 'exited',
  code,
  stdout,
  stderr,
});

/** Answers by the beginning of the first argument: `--query-gpu=uuid,index`, `--query-gpu=uuid,utilization`, `-L`. */
export type Answers = Readonly<Record<string, ToolResult | string>>;

/** A machine whose tools answer what was recorded; what has no answer is not installed. Keeps what was asked. */
export function recordedTool(answers: Answers): { run: RunTool; asked: string[] } {
  const asked: string[] = [];
  const run: RunTool = async ([program = '', ...args]) => {
    const line = [program === 'nvidia-smi' ? '' : program, ...args].join(' ').trim();
    asked.push(line);
    const found = Object.entries(answers).find(([start]) => line.startsWith(start))?.[1];
    if (found === undefined) return { outcome: 'absent' };
    return typeof found === 'string' ? exited(found) : found;
  };
  return { run, asked };
}

export const listing = '--query-gpu=uuid,index';
export const loads = '--query-gpu=uuid,utilization.gpu';
