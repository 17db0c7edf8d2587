import { abortable } from '../../../lib/abort.ts';
import { BackendError } from '../backend.ts';
import type { SimulatedEngine } from './simulated-engine.ts';

/** Pulls by the clock, one pull per image at a time for all who ask; it goes on when they leave. */
export function createSimulatedPuller(
  engine: SimulatedEngine,
): (image: string, onProgress: (text: string) => void, signal: AbortSignal) => Promise<void> {
  const running = new Map<string, Promise<void>>();
  return async (image, onProgress, signal) => {
    signal.throwIfAborted();
    engine.assertUp();
    const found = engine.script.image(image);
    if (found === null) throw new BackendError('image_not_found', `"${image}" is not in its registry`);
    if (found.failure === null && (found.pullMs === 0 || engine.pulled.has(image))) return;
    onProgress('0 of 1 layers');
    const pull = running.get(image) ?? runPull(engine, image);
    running.set(image, pull);
    try {
      await abortable(pull, signal);
    } finally {
      if (running.get(image) === pull) running.delete(image);
    }
    onProgress('1 of 1 layers');
  };
}

async function runPull(engine: SimulatedEngine, image: string): Promise<void> {
  await engine.clock.sleep(engine.script.image(image)?.pullMs ?? 0);
  engine.assertUp();
  const failure = engine.script.image(image)?.failure ?? null;
  if (failure !== null) throw new BackendError(failure, `"${image}" could not be pulled: the script says so`);
  engine.pulled.add(image);
}
