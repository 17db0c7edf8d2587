import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Signal } from '../../../protocol/task-spec.ts';

/** What we sent to whom, over restarts of the Runner: an end of our own doing is never blamed on anything else. */
export interface KillMarks {
  /** Written before the signal is sent. */
  mark(name: string, signal: Signal): Promise<void>;
  sent(name: string): Promise<{ anySignal: boolean; sigkill: boolean }>;
  clear(name: string): Promise<void>;
}

type Kind = 'signalled' | 'killed';

export function createKillMarks(privateDir: string): KillMarks {
  const folder = join(privateDir, 'kills');
  const known = new Set<string>();
  const path = (name: string, kind: Kind): string => join(folder, `${name}.${kind}`);
  const has = async (name: string, kind: Kind): Promise<boolean> =>
    known.has(path(name, kind)) ||
    (await access(path(name, kind)).then(
      () => true,
      () => false,
    ));
  return {
    async mark(name, signal) {
      const file = path(name, signal === 'SIGKILL' ? 'killed' : 'signalled');
      if (known.has(file)) return;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(file, '', { mode: 0o600 });
      known.add(file);
    },
    async sent(name) {
      const [signalled, sigkill] = await Promise.all([has(name, 'signalled'), has(name, 'killed')]);
      return { anySignal: signalled || sigkill, sigkill };
    },
    async clear(name) {
      for (const kind of ['signalled', 'killed'] as const) {
        known.delete(path(name, kind));
        await rm(path(name, kind), { force: true });
      }
    },
  };
}
