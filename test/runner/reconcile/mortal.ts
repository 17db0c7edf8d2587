import type { Clock } from '../../../src/lib/clock.ts';
import type { Backend } from '../../../src/runner/backend/backend.ts';
import type { Journal } from '../../../src/runner/journal/journal.ts';

/** Ports of a process that dies by itself at its n-th touch of the world; from then on nothing of it has an effect. */
export interface Mortal {
  backend: Backend;
  journal: Journal;
  clock: Clock;
  /** Touches so far. */
  touches(): number;
  isDead(): boolean;
}

/** Each call of the backend is two touches, before and after its effect; each write of the journal likewise. */
export function makeMortal(ports: { backend: Backend; journal: Journal; clock: Clock }, diesAt: number): Mortal {
  let touches = 0;
  const isDead = (): boolean => touches >= diesAt;
  const never = new Promise<never>(() => undefined);
  const touch = (): boolean => {
    if (!isDead()) touches += 1;
    return isDead();
  };
  const around = async <T>(work: () => Promise<T>): Promise<T> => {
    if (touch()) return never;
    const result = await work();
    return touch() ? never : result;
  };
  const write = (work: () => void): void => {
    if (touch()) throw new Error('this process is dead');
    work();
    if (touch()) throw new Error('this process is dead');
  };
  const { backend, journal, clock } = ports;
  return {
    backend: {
      ...backend,
      describe: (signal) => around(() => backend.describe(signal)),
      offers: (signal) => around(() => backend.offers(signal)),
      trimLogs: (ref, position, signal) => around(() => backend.trimLogs(ref, position, signal)),
      list: (signal) => around(() => backend.list(signal)),
      pull: (image, onProgress, signal) => around(() => backend.pull(image, onProgress, signal)),
      start: (order, signal) => around(() => backend.start(order, signal)),
      kill: (ref, name, signal) => around(() => backend.kill(ref, name, signal)),
      pause: (ref, signal) => around(() => backend.pause(ref, signal)),
      resume: (ref, signal) => around(() => backend.resume(ref, signal)),
      end: (ref, signal) => around(() => backend.end(ref, signal)),
      usage: (ref, signal) => around(() => backend.usage(ref, signal)),
      remove: (ref, signal) => around(() => backend.remove(ref, signal)),
      async *watch(signal) {
        for await (const event of backend.watch(signal)) {
          if (isDead()) await never;
          yield event;
        }
      },
      logs: (ref, position, signal) => backend.logs(ref, position, signal),
    },
    journal: {
      all: () => journal.all(),
      put: (entry) => write(() => journal.put(entry)),
      remove: (ref) => write(() => journal.remove(ref)),
      heardAtMs: () => journal.heardAtMs(),
      setHeardAt: (hostTimeMs) => write(() => journal.setHeardAt(hostTimeMs)),
      [Symbol.dispose]: () => undefined,
    },
    clock: {
      ...clock,
      sleep: async (ms, signal) => {
        await clock.sleep(ms, signal);
        if (isDead()) await never;
      },
    },
    touches: () => touches,
    isDead,
  };
}
