import type { Clock } from '../../../lib/clock.ts';
import type { Signal } from '../../../protocol/task-spec.ts';
import type { Step } from './program.ts';

/** How a simulated process ended. */
export interface ProcessEnd {
  exitCode: number;
  oom: boolean;
  engineRestart?: boolean;
  startFailure?: string;
}

export interface ProcessOptions {
  clock: Clock;
  steps: readonly Step[];
  /** 0: none. */
  memoryLimitBytes: number;
  write(stream: 'stdout' | 'stderr', text: string): void;
  /** Called once. */
  onEnd(end: ProcessEnd): void;
}

export interface SimulatedProcess {
  signal(name: Signal): void;
  pause(): void;
  resume(): void;
  /** Ends at once, whatever it does. */
  end(end: ProcessEnd): void;
  usage(): { memoryPeakBytes: number; cpuTimeMs: number };
}

const numbers = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGTERM: 15,
} as const satisfies Record<Signal, number>;

interface State {
  ended: boolean;
  paused: boolean;
  memoryBytes: number;
  cpuTimeMs: number;
  ignored: Set<Signal>;
  /** Came while it was paused. */
  waiting: Signal | null;
  /** Ends the sleep that it is in: something changed. */
  stir: AbortController;
}

/** Runs the steps by the clock. A signal that is not ignored ends it with 128 + its number. */
export function startProcess(options: ProcessOptions): SimulatedProcess {
  const state: State = {
    ended: false,
    paused: false,
    memoryBytes: 0,
    cpuTimeMs: 0,
    ignored: new Set(),
    waiting: null,
    stir: new AbortController(),
  };
  const stir = (): void => {
    const before = state.stir;
    state.stir = new AbortController();
    before.abort();
  };
  const end = (how: ProcessEnd): void => {
    if (state.ended) return;
    state.ended = true;
    stir();
    options.onEnd(how);
  };
  void runSteps(options, state, end);
  return {
    signal(name) {
      if (state.paused && name !== 'SIGKILL') state.waiting = name;
      else if (name === 'SIGKILL' || !state.ignored.has(name)) end({ exitCode: 128 + numbers[name], oom: false });
    },
    pause() {
      state.paused = true;
      stir();
    },
    resume() {
      state.paused = false;
      const waiting = state.waiting;
      state.waiting = null;
      stir();
      if (waiting !== null) this.signal(waiting);
    },
    end,
    usage: () => ({ memoryPeakBytes: state.memoryBytes, cpuTimeMs: state.cpuTimeMs }),
  };
}

async function runSteps(options: ProcessOptions, state: State, end: (how: ProcessEnd) => void): Promise<void> {
  for (const step of options.steps) {
    await doStep(options, state, { step, end });
    if (state.ended) return;
  }
  end({ exitCode: 0, oom: false });
}

async function doStep(
  options: ProcessOptions,
  state: State,
  doing: { step: Step; end: (how: ProcessEnd) => void },
): Promise<void> {
  const { step, end } = doing;
  switch (step.kind) {
    case 'print':
    case 'warn':
      options.write(step.kind === 'print' ? 'stdout' : 'stderr', `${step.text}\n`);
      return;
    case 'allocate':
      state.memoryBytes += step.bytes;
      if (options.memoryLimitBytes === 0 || state.memoryBytes < options.memoryLimitBytes) return;
      state.memoryBytes = options.memoryLimitBytes;
      end({ exitCode: 137, oom: true });
      return;
    case 'ignore':
      state.ignored.add(step.signal);
      return;
    case 'exit':
      end({ exitCode: step.code, oom: false });
      return;
    case 'sleep':
    case 'work':
      await spend(options.clock, state, step);
  }
}

/** Lets the time of a step pass; the time in which it is paused does not count. */
async function spend(clock: Clock, state: State, step: { kind: string; ms: number }): Promise<void> {
  let leftMs = step.ms;
  while (leftMs > 0 && !state.ended) {
    const { signal } = state.stir;
    if (state.paused) {
      await stirred(signal);
      continue;
    }
    const fromMs = clock.monotonic();
    const over = await clock.sleep(leftMs, signal).then(
      () => true,
      () => false,
    );
    const passedMs = over ? leftMs : Math.min(leftMs, clock.monotonic() - fromMs);
    leftMs -= passedMs;
    if (step.kind === 'work') state.cpuTimeMs += Math.round(passedMs);
  }
}

function stirred(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
