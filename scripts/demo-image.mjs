// @ts-check
// Builds a small image without a registry: busybox-static → tar → `docker import`.
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { capture } from './run.mjs';
import { fileURLToPath } from 'node:url';

export const demoImage = 'weir/demo:1';

const folders = ['bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp', 'usr', 'var'];
const accounts = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n',
  group: 'root:x:0:\nnogroup:x:65534:\n',
};

/**
 * Makes the image unless the engine has it. Throws with what the tool said.
 * @param {string} [tag]
 * @returns {Promise<'present' | 'built'>}
 */
export async function ensureDemoImage(tag = demoImage) {
  if (capture('docker', ['image', 'inspect', tag]).ok) return 'present';
  const folder = mkdtempSync(join(tmpdir(), 'weir-image-'));
  try {
    const tree = join(folder, 'root');
    makeTree(tree);
    const archive = join(folder, 'root.tar');
    must('tar', ['--numeric-owner', '--owner=0', '--group=0', '-C', tree, '-cf', archive, '.']);
    must('docker', ['import', '--change', 'CMD ["/bin/sh"]', '--change', 'ENV PATH=/bin', archive, tag]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return 'built';
}

/** @param {string} tree */
function makeTree(tree) {
  for (const name of folders) mkdirSync(join(tree, name), { recursive: true });
  chmodSync(join(tree, 'tmp'), 0o1777);
  for (const [name, text] of Object.entries(accounts)) writeFileSync(join(tree, 'etc', name), text);
  const busybox = must('sh', ['-c', 'command -v busybox || echo /usr/bin/busybox']).trim();
  copyFileSync(busybox, join(tree, 'bin/busybox'));
  chmodSync(join(tree, 'bin/busybox'), 0o755);
  for (const applet of must(busybox, ['--list']).trim().split('\n')) {
    if (applet !== 'busybox') symlinkSync('busybox', join(tree, 'bin', applet));
  }
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
function must(command, args) {
  const result = capture(command, args);
  if (!result.ok) throw new Error(`${command} ${args.join(' ')}: ${result.stderr.trim()}`);
  return result.stdout;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`${demoImage}: ${await ensureDemoImage()}`);
}
