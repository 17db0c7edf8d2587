import { createServer, type Server } from 'node:net';
import { createHash } from 'node:crypto';
import { systemClock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { runTool } from '../../../src/lib/node/run-tool.ts';
import { createWorkloadNetwork, type WorkloadNetwork } from '../../../src/runner/network/workload-network.ts';

export const never = new AbortController().signal;
export const names = { name: 'weirtest', bridge: 'weirtest0', table: 'weirtest' };
/** As Docker makes them when nobody says anything: what ours must be better than. */
export const plainNetwork = 'weirtestplain';
const label = 'weirtest.network=1';

/** Output of a program that must succeed. */
export async function must(...argv: string[]): Promise<string> {
  const result = await runTool(argv, { timeoutMs: 60_000 }, never);
  if (result.outcome === 'exited' && result.code === 0) return result.stdout.trim();
  throw new Error(`${argv.join(' ')}: ${JSON.stringify(result)}`);
}

export async function attempt(...argv: string[]): Promise<void> {
  await runTool(argv, { timeoutMs: 60_000 }, never);
}

export function testNetwork(change: Partial<Parameters<typeof createWorkloadNetwork>[0]> = {}): WorkloadNetwork {
  return createWorkloadNetwork({
    socketPath: '/var/run/docker.sock',
    ...names,
    dnsAddresses: async () => [],
    run: runTool,
    clock: systemClock,
    log: silentLogger,
    ...change,
  });
}

export async function container(network: string): Promise<{ id: string; address: string }> {
  const id = await must(
    'docker',
    'run',
    '-d',
    '--label',
    label,
    '--network',
    network,
    'weir/demo:1',
    'sh',
    '-c',
    'while :; do echo hello | nc -l -p 7000; done',
  );
  const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
  return { id, address: await must('docker', 'inspect', '-f', format, id) };
}

/** Whether a container gets the greeting of a listener. */
export async function reaches(id: string, address: string, port: number): Promise<boolean> {
  const script = `nc -w 2 ${address} ${port} </dev/null | grep -q hello`;
  const result = await runTool(['docker', 'exec', id, 'sh', '-c', script], { timeoutMs: 30_000 }, never);
  return result.outcome === 'exited' && result.code === 0;
}

/** Greets everybody, on every address of the node. */
export async function greeter(): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end('hello\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, server };
}

/** All of them, of devices without a carrier too: the node answers on those as well. */
export async function nodeAddresses(): Promise<string[]> {
  const lines = await must('ip', '-o', '-4', 'addr', 'show', 'scope', 'global');
  return [...lines.matchAll(/inet ([\d.]+)\//g)].map(([, address = '']) => address);
}

/** A machine of its own behind a cable, with a greeter at port 7000 on both of its addresses. */
export async function makeOutside(): Promise<AsyncDisposable & { address: string; linkLocal: string }> {
  const id = createHash('sha256').update(String(process.pid)).digest('hex').slice(0, 6);
  const [space, near, far] = [`weirout${id}`, `wo${id}a`, `wo${id}b`];
  const inside = ['ip', 'netns', 'exec', space];
  await must('ip', 'netns', 'add', space);
  await must('ip', 'link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', space);
  await must('ip', 'addr', 'add', '198.51.100.1/24', 'dev', near);
  await must('ip', 'link', 'set', near, 'up');
  await must('ip', 'route', 'add', '169.254.169.254/32', 'via', '198.51.100.2', 'dev', near);
  await must(...inside, 'ip', 'addr', 'add', '198.51.100.2/24', 'dev', far);
  await must(...inside, 'ip', 'addr', 'add', '169.254.169.254/32', 'dev', far);
  await must(...inside, 'ip', 'link', 'set', far, 'up');
  const stop = new AbortController();
  const loop = 'while :; do echo hello | busybox nc -l -p 7000; done';
  const greeting = runTool([...inside, 'sh', '-c', loop], { timeoutMs: 300_000 }, stop.signal).catch(() => undefined);
  return {
    address: '198.51.100.2',
    linkLocal: '169.254.169.254',
    async [Symbol.asyncDispose]() {
      stop.abort();
      await greeting;
      const left = await must('ip', 'netns', 'pids', space);
      for (const pid of left.split('\n').filter((each) => each !== '')) await attempt('kill', '-9', pid);
      await attempt('ip', 'link', 'del', near);
      await attempt('ip', 'netns', 'del', space);
    },
  };
}

export async function cleanUp(): Promise<void> {
  const left = await must('docker', 'ps', '-aq', '--filter', `label=${label}`);
  for (const id of left.split('\n').filter((each) => each !== '')) await attempt('docker', 'rm', '-f', id);
  await attempt('docker', 'network', 'rm', names.name);
  await attempt('docker', 'network', 'rm', plainNetwork);
  await attempt('nft', 'delete', 'table', 'inet', names.table);
}
