import { runHost } from '../../src/main/host.ts';

/** A Host as a process of its own, to be killed: `tsx host-process.ts FOLDER`. */
Object.assign(globalThis, { WEIR_VERSION: '0.0.0-test' });
const [, , data = ''] = process.argv;
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
const listen = { address: '127.0.0.1', port: 0 };
await runHost({ data, listen, insecureHttp: false, logLevel: 'error', signal: stop.signal });
