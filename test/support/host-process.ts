import { startHost } from '../../src/host/platform/node/start-host.ts';
import { silentLogger } from '../../src/lib/logger.ts';

/** A Host as a process of its own, to be killed: `tsx host-process.ts FOLDER`. Says its URL when it answers. */
const [, , dataDir = ''] = process.argv;
const listen = { address: '127.0.0.1', port: 0 };
const host = await startHost({
  dataDir,
  listen,
  insecureHttp: false,
  hostNames: [],
  version: '0.0.0-test',
  log: silentLogger,
});
process.once('SIGTERM', () => void host.stop());
process.stdout.write(`${host.url}\n`);
