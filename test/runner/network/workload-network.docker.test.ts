import type { Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/lib/logger.ts';
import { runTool } from '../../../src/lib/node/run-tool.ts';
import {
  cleanUp,
  container,
  greeter,
  makeOutside,
  must,
  names,
  never,
  nodeAddresses,
  plainNetwork,
  reaches,
  testNetwork,
} from './lab.ts';

let node: { port: number; server: Server };
beforeAll(async () => {
  await cleanUp();
  await must('docker', 'network', 'create', plainNetwork);
  node = await greeter();
});
afterAll(async () => {
  node.server.close();
  await cleanUp();
});

const withoutRules = (): Promise<string> => must('nft', 'delete', 'table', 'inet', names.table);
const listing = (table = names.table): Promise<string> => must('nft', 'list', 'table', 'inet', table);

describe('the network of the workloads', () => {
  it('is made as asked, and says where it is', async () => {
    const state = await testNetwork().ensure(never);
    expect(state).toMatchObject({ isolated: true, networkMode: 'weirtest' });
    const [inspected] = JSON.parse(await must('docker', 'network', 'inspect', names.name));
    expect(inspected.Options).toMatchObject({
      'com.docker.network.bridge.name': names.bridge,
      'com.docker.network.bridge.enable_icc': 'false',
    });
    expect(inspected.IPAM.Config[0].Subnet).toBe(state.subnet);
    expect(await nodeAddresses()).toContain(state.gateway);
  });

  it('keeps two workloads apart, which a plain network does not', async () => {
    await testNetwork().ensure(never);
    const [one, two] = [await container(names.name), await container(names.name)];
    const [three, four] = [await container(plainNetwork), await container(plainNetwork)];
    expect(await reaches(three.id, four.address, 7000)).toBe(true);
    expect(await reaches(one.id, two.address, 7000)).toBe(false);
    expect(await reaches(three.id, one.address, 7000)).toBe(false);
    expect(await reaches(one.id, three.address, 7000)).toBe(false);
  });

  it('keeps workloads apart by our own rule when Docker would let them', async () => {
    await testNetwork().ensure(never);
    const [one, two] = [await container(names.name), await container(names.name)];
    await must('iptables', '-I', 'DOCKER-USER', '-i', names.bridge, '-o', names.bridge, '-j', 'ACCEPT');
    try {
      expect(await reaches(one.id, two.address, 7000)).toBe(false);
      await withoutRules();
      expect(await reaches(one.id, two.address, 7000)).toBe(true);
    } finally {
      await must('iptables', '-D', 'DOCKER-USER', '-i', names.bridge, '-o', names.bridge, '-j', 'ACCEPT');
    }
  });

  it('lets no workload reach the node, at none of its addresses, and the node reach every workload', async () => {
    const network = testNetwork();
    const { gateway } = await network.ensure(never);
    const { id, address } = await container(names.name);
    const addresses = await nodeAddresses();
    expect(addresses).toContain(gateway);
    expect(addresses.length).toBeGreaterThanOrEqual(2);

    await withoutRules();
    for (const each of addresses) expect([each, await reaches(id, each, node.port)]).toEqual([each, true]);
    await network.ensure(never);
    for (const each of addresses) expect([each, await reaches(id, each, node.port)]).toEqual([each, false]);
    expect(await reaches(id, '127.0.0.1', node.port)).toBe(false);

    const fromNode = await must('busybox', 'nc', '-w', '2', address, '7000');
    expect(fromNode).toBe('hello');
  });

  it('lets a workload ask the node for names where the node serves them, and nothing else', async () => {
    const { gateway } = await testNetwork().ensure(never);
    const other = (await nodeAddresses()).find((each) => each !== gateway) ?? '';
    const { id } = await container(names.name);
    await testNetwork({ dnsAddresses: async () => [gateway ?? ''] }).ensure(never);
    expect(await answers(id, gateway ?? '', 53)).toBe('refused');
    expect(await answers(id, gateway ?? '', 54)).toBe('dropped');
    expect(await answers(id, other, 53)).toBe('dropped');
  });

  it('lets workloads out, but not to link-local addresses', async () => {
    const network = testNetwork();
    await network.ensure(never);
    await using outside = await makeOutside();
    const { id } = await container(names.name);
    expect(await reaches(id, outside.address, 7000)).toBe(true);
    expect(await reaches(id, outside.linkLocal, 7000)).toBe(false);
    await withoutRules();
    expect(await reaches(id, outside.linkLocal, 7000)).toBe(true);
  });

  it('changes nothing when it is there already, nor the tables of others', async () => {
    await must('nft', 'add', 'table', 'inet', 'weirtestother');
    await must('nft', 'add', 'chain', 'inet', 'weirtestother', 'input', '{ type filter hook input priority 5; }');
    await must('nft', 'add', 'rule', 'inet', 'weirtestother', 'input', 'tcp', 'dport', '9', 'drop');
    try {
      const network = testNetwork();
      const first = await network.ensure(never);
      const before = [await listing(), await listing('weirtestother'), await must('iptables', '-S')];
      const id = await must('docker', 'network', 'inspect', '-f', '{{.Id}}', names.name);
      const [second, third] = await Promise.all([network.ensure(never), network.ensure(never)]);
      await testNetwork().ensure(never);
      expect([second, third]).toEqual([first, first]);
      expect([await listing(), await listing('weirtestother'), await must('iptables', '-S')]).toEqual(before);
      expect(await must('docker', 'network', 'inspect', '-f', '{{.Id}}', names.name)).toBe(id);
    } finally {
      await must('nft', 'delete', 'table', 'inet', 'weirtestother');
    }
  });

  it('puts back rules that somebody has changed or flushed', async () => {
    const network = testNetwork();
    await network.ensure(never);
    const before = await listing();
    await must('nft', 'flush', 'chain', 'inet', names.table, 'input');
    expect(await listing()).not.toBe(before);
    await network.ensure(never);
    expect(await listing()).toBe(before);
    await withoutRules();
    await network.ensure(never);
    expect(await listing()).toBe(before);
  });

  it('says why workloads are not isolated, and warns once', async () => {
    const warned: unknown[] = [];
    const log = { ...silentLogger, warn: (fields: unknown) => warned.push(fields) };
    const without = testNetwork({ log, run: async () => ({ outcome: 'absent' }) });
    expect(await without.ensure(never)).toMatchObject({ isolated: false, why: expect.stringContaining('nftables') });
    await without.ensure(never);
    expect(without.current()).toMatchObject({ isolated: false });
    expect(warned).toHaveLength(1);
    const nobody = ['setpriv', '--reuid', '65534', '--clear-groups', '--bounding-set', '-all'];
    const unprivileged = testNetwork({ run: (argv, tool, signal) => runTool([...nobody, ...argv], tool, signal) });
    expect(await unprivileged.ensure(never)).toMatchObject({
      isolated: false,
      why: expect.stringContaining('not permitted'),
    });
  });

  it('makes a network anew that is not as it should be, unless it is in use', async () => {
    await cleanUp();
    await must('docker', 'network', 'create', '-o', 'com.docker.network.bridge.name=weirtest1', names.name);
    const used = await container(names.name);
    await expect(testNetwork().ensure(never)).rejects.toThrow(
      /in use and has com.docker.network.bridge.name="weirtest1"/,
    );
    await must('docker', 'rm', '-f', used.id);
    expect(await testNetwork().ensure(never)).toMatchObject({ isolated: true });
    await must('ip', 'link', 'del', names.bridge);
    expect(await testNetwork().ensure(never)).toMatchObject({ isolated: true });
    expect(await must('ip', '-o', 'link', 'show', names.bridge)).toContain(names.bridge);
  });

  it('throws when the Engine does not answer', async () => {
    const network = testNetwork({ socketPath: '/nonexistent.sock' });
    await expect(network.ensure(never)).rejects.toThrow(/Docker Engine does not answer/);
    expect(network.current()).toBeNull();
  });
});

/** How the node takes a connection: a refusal is an answer, a dropped packet is none. */
async function answers(id: string, address: string, port: number): Promise<'refused' | 'dropped'> {
  const result = await runTool(
    ['docker', 'exec', id, 'nc', '-w', '2', address, String(port)],
    { timeoutMs: 30_000 },
    never,
  );
  if (result.outcome !== 'exited') throw new Error('nc did not end');
  return result.stderr.includes('refused') ? 'refused' : 'dropped';
}
