import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunTool } from '../../../src/lib/node/run-tool.ts';
import { ensureBridgeFilter } from '../../../src/runner/network/bridge-filter.ts';
import { nameservers } from '../../../src/runner/network/dns-addresses.ts';
import { workloadRules } from '../../../src/runner/network/rules.ts';
import { temporaryFolder } from '../logs/support.ts';

const never = new AbortController().signal;

describe('the rules', () => {
  const rules = (dnsAddresses: string[]): string => workloadRules({ table: 'weir', bridge: 'weirbr0', dnsAddresses });

  it('replace our table and nothing else', () => {
    expect(rules([])).not.toContain('flush');
    expect(rules([]).match(/(?:delete )?table \w+ \w+/g)).toEqual([
      'table inet weir',
      'delete table inet weir',
      'table inet weir',
    ]);
  });

  it('let DNS through to the addresses that serve it, and to no others', () => {
    expect(rules([])).not.toContain('53');
    const some = rules(['192.0.2.7', 'fd00::7', 'evil; accept']);
    expect(some).toContain('ip daddr { 192.0.2.7 } meta l4proto { tcp, udp } th dport 53 accept');
    expect(some).toContain('ip6 daddr { fd00::7 } meta l4proto { tcp, udp } th dport 53 accept');
    expect(some).not.toContain('evil');
  });

  it('take no name that could be more than a name', () => {
    for (const bridge of ['br0"; accept', '', 'A', 'sixteen-letters-', 'br 0']) {
      expect(() => workloadRules({ table: 'weir', bridge, dnsAddresses: [] })).toThrow(TypeError);
    }
  });
});

describe('the resolver configuration', () => {
  it('names the servers, each once', () => {
    const text =
      '# nameserver 1.1.1.1\nsearch lan\nnameserver 192.0.2.7\n nameserver fd00::7\nnameserver 192.0.2.7\nnameserver fe80::1%eth0\nnameserver x\n';
    expect(nameservers(text)).toEqual(['192.0.2.7', 'fd00::7', 'fe80::1%eth0']);
  });
});

describe('the filter between ports of a bridge', () => {
  const folder = 'proc/sys/net/bridge';
  const idle: RunTool = async () => ({ outcome: 'exited', code: 1, stdout: '', stderr: '' });

  async function put(root: string, name: string, value: string): Promise<void> {
    await mkdir(dirname(join(root, folder, name)), { recursive: true });
    await writeFile(join(root, folder, name), value);
  }

  it('is switched on where it is off', async () => {
    await using root = await temporaryFolder();
    await put(root.path, 'bridge-nf-call-iptables', '0\n');
    await put(root.path, 'bridge-nf-call-ip6tables', '0\n');
    expect(await ensureBridgeFilter(root.path, idle, never)).toBeNull();
    expect(await readFile(join(root.path, folder, 'bridge-nf-call-iptables'), 'utf8')).toBe('1\n');
    expect(await readFile(join(root.path, folder, 'bridge-nf-call-ip6tables'), 'utf8')).toBe('1\n');
  });

  it('has its module loaded', async () => {
    await using root = await temporaryFolder();
    const asked: string[] = [];
    const why = await ensureBridgeFilter(
      root.path,
      async (argv) => {
        asked.push(argv.join(' '));
        await put(root.path, 'bridge-nf-call-iptables', '1\n');
        return { outcome: 'exited', code: 0, stdout: '', stderr: '' };
      },
      never,
    );
    expect([asked, why]).toEqual([['modprobe br_netfilter'], null]);
  });

  it('is said to be missing when it cannot be had', async () => {
    await using root = await temporaryFolder();
    expect(await ensureBridgeFilter(root.path, idle, never)).toContain('br_netfilter');
    await mkdir(join(root.path, folder, 'bridge-nf-call-iptables'), { recursive: true });
    await expect(ensureBridgeFilter(root.path, idle, never)).rejects.toThrow('EISDIR');
  });
});
