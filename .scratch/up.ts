import { runUp } from '../src/main/up.ts';
const ac = new AbortController();
process.on('SIGTERM', () => ac.abort()); process.on('SIGINT', () => ac.abort());
await runUp({ data: '/tmp/w/up1', listen: { address: '127.0.0.1', port: 18000 }, insecureHttp: false, logLevel: 'debug', signal: ac.signal });
