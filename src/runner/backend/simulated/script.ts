import type { WorkloadSpec } from '../../../protocol/sync.ts';
import type { BackendErrorCode, StartOrder } from '../backend.ts';

/** An image as the simulated engine has or gets it. */
export interface SimulatedImage {
  /** How long the first pull takes; 0: it is there. */
  pullMs: number;
  /** The pull ends in this instead. */
  failure: BackendErrorCode | null;
  /** What it runs when the task names no command. */
  program: readonly string[];
}

/** How the simulated engine behaves, asked at each turn. What is left out is as `defaultScript` has it. */
export interface SimulatedScript {
  /** `null`: there is no such image anywhere. */
  image(name: string): SimulatedImage | null;
  startMs(order: StartOrder): number;
  /** A sentence: the start fails with it. */
  startFailure(order: StartOrder): string | null;
  /** Stands for the argv of the task, in the words of `parseProgram`. */
  program(spec: WorkloadSpec): readonly string[] | null;
  /** What the node offers. */
  offers: readonly string[];
}

/** Every image under `sim/` is there but those under `sim/missing`; a start takes 100 ms. */
export const defaultScript: SimulatedScript = {
  image: (name) =>
    name.startsWith('sim/') && !name.startsWith('sim/missing') ? { pullMs: 0, failure: null, program: [] } : null,
  startMs: () => 100,
  startFailure: () => null,
  program: (spec) => spec.argv,
  offers: [],
};
