import { isIPv4, isIPv6 } from 'node:net';

export interface RuleOptions {
  /** Name of our table in the family `inet`. */
  table: string;
  /** The bridge of the workloads. */
  bridge: string;
  /** Addresses of this node at which it serves DNS to workloads. */
  dnsAddresses: readonly string[];
}

/**
 * The input of `nft -f -` that puts our table in place, whole, in one transaction; other tables are not touched.
 *
 * It goes by the interface that a packet came in on: the node answers on any of its addresses whichever
 * interface they belong to. An `accept` here opens nothing, other tables still see the packet; a `drop` is final.
 * Nothing of it needs the bridge to be there yet, so that it can stand before the first workload does.
 */
export function workloadRules({ table, bridge, dnsAddresses }: RuleOptions): string {
  const name = safeName(table);
  const device = `"${safeName(bridge)}"`;
  return `
table inet ${name}
delete table inet ${name}
table inet ${name} {
  chain from_workload_to_node {
    ct state established,related accept
${dnsRules(dnsAddresses)}    drop
  }
  chain input {
    type filter hook input priority -10; policy accept;
    iifname ${device} jump from_workload_to_node
  }
  chain forward {
    type filter hook forward priority -10; policy accept;
    iifname ${device} oifname ${device} drop
    iifname ${device} ip daddr 169.254.0.0/16 drop
    iifname ${device} ip6 daddr fe80::/10 drop
    oifname ${device} ct state established,related accept
    oifname ${device} ct status dnat accept
    oifname ${device} drop
  }
}
`;
}

function dnsRules(addresses: readonly string[]): string {
  const rule = (match: string, set: string[]): string =>
    set.length === 0 ? '' : `    ${match} { ${set.join(', ')} } meta l4proto { tcp, udp } th dport 53 accept\n`;
  return rule('ip daddr', addresses.filter(isIPv4)) + rule('ip6 daddr', addresses.filter(isIPv6));
}

/** Fifteen characters are the most that a device may have. */
function safeName(name: string): string {
  if (!/^[a-z][a-z0-9_-]{0,14}$/.test(name)) throw new TypeError(`"${name}" is not a name for a device or table`);
  return name;
}
