import { FolderLockedError, lockFolder } from '../../../src/lib/node/folder-lock.ts';

// Tries to lock the folder, says how it went, and holds on until it is killed.
const [, , folder = ''] = process.argv;
try {
  const lock = await lockFolder(folder);
  process.stdout.write('held\n');
  setInterval(() => lock, 60_000);
} catch (error) {
  process.stdout.write(error instanceof FolderLockedError ? `${error.message}\n` : `${String(error)}\n`);
}
