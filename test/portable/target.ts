import type { Call } from '../support/calls.ts';

/** The Host under test, wherever it runs. */
export interface Target {
  url: string;
  token: string;
  call: Call;
  /** Whether it dials Runners by itself. */
  dials: boolean;
}

/** Known once the Host has started. */
export type TargetOf = () => Target;
