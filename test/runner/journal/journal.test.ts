import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { taskId } from '../../../src/protocol/ids.ts';
import { openJournal } from '../../../src/runner/journal/file-journal.ts';
import { createMemoryJournal } from '../../../src/runner/journal/memory-journal.ts';
import { journalContract } from '../../contract/journal.ts';

function scratch(): { path: string; dispose: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'weir-journal-'));
  return { path: join(folder, 'journal.db'), dispose: () => rmSync(folder, { recursive: true, force: true }) };
}

journalContract('the file', () => {
  const { path, dispose } = scratch();
  return { open: () => openJournal(path), dispose };
});

journalContract('memory', () => {
  const journal = createMemoryJournal();
  return { open: () => journal, dispose: () => undefined };
});

describe('a process that writes the journal and is killed', { timeout: 60_000 }, () => {
  it('has lost nothing of what a call returned for', async () => {
    expect.hasAssertions();
    const { path, dispose } = scratch();
    const child = spawn(process.execPath, ['--import', 'tsx', 'test/support/journal-child.ts', path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let last = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      last = Number(line);
      if (last === 300) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    using journal = openJournal(path);
    const kept = new Set(journal.all().map(({ ref }) => ref.task));
    for (let counter = 1; counter <= last; counter += 1) {
      const removed = counter % 3 === 2 && counter + 1 <= last;
      // The one behind the last may have been put, and its forerunner removed, without a word.
      const open = counter % 3 === 2 && counter === last;
      if (!open) expect([counter, kept.has(taskId.fromCounter(counter))]).toEqual([counter, !removed]);
    }
    dispose();
  });

  it('leaves a file that others can read while it is written', () => {
    const { path, dispose } = scratch();
    using journal = openJournal(path);
    journal.remove({ task: taskId.fromCounter(1), attempt: 1 });
    const reader = `import { openJournal } from './src/runner/journal/file-journal.ts'; console.log(openJournal(${JSON.stringify(path)}).all().length);`;
    const out = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', reader], {
      encoding: 'utf8',
    });
    expect(out.trim()).toBe('0');
    dispose();
  });
});
