import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Remembers whom we sent SIGKILL, over a restart of the Runner: a 137 of theirs is never taken for `oom`. */
export interface KillMarks {
  /** Written before the signal is sent. */
  mark(name: string): Promise<void>;
  has(name: string): Promise<boolean>;
  clear(name: string): Promise<void>;
}

export function createKillMarks(privateDir: string): KillMarks {
  const folder = join(privateDir, 'killed');
  const marked = new Set<string>();
  return {
    async mark(name) {
      if (marked.has(name)) return;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(join(folder, name), '', { mode: 0o600 });
      marked.add(name);
    },
    async has(name) {
      if (marked.has(name)) return true;
      return access(join(folder, name)).then(
        () => true,
        () => false,
      );
    },
    async clear(name) {
      marked.delete(name);
      await rm(join(folder, name), { force: true });
    },
  };
}
