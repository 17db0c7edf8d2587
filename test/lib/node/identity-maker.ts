import { join } from 'node:path';
import { loadTlsIdentity } from '../../../src/lib/node/tls-identity.ts';

// Makes one identity after the other in folders of their own, a dot for each, until it is killed.
const [, , folder = ''] = process.argv;
for (let count = 0; ; count += 1) {
  await loadTlsIdentity(join(folder, String(count)), { commonName: 'maker', now: Date.now() });
  process.stdout.write('.');
}
