import type { WorkloadSpec } from '../../../protocol/sync.ts';
import type { RunnerPolicy } from '../../policy.ts';
import { refused } from './refused.ts';

/** Docker's own list without NET_RAW, MKNOD and AUDIT_WRITE: what every workload has. */
export const defaultCapabilities: readonly string[] = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'NET_BIND_SERVICE',
  'SYS_CHROOT',
  'SETFCAP',
];

/**
 * The last word of the node's file, whoever asks.
 * @throws BackendError `start_failed`
 */
export function assertAllowed(spec: WorkloadSpec, { allow }: Pick<RunnerPolicy, 'allow'>): void {
  const deny = (what: string): never => {
    throw refused(`this node's file does not allow ${what}`);
  };
  if (spec.privileged === true && !allow.privileged) deny('privileged');
  if (spec.network === 'host' && !allow.hostNetwork) deny("the node's own network");
  for (const device of spec.devices ?? []) if (!allow.devices.includes(device)) deny(`the device ${device}`);
  for (const capability of spec.capabilities ?? []) {
    if (!defaultCapabilities.includes(capability) && !allow.capabilities.includes(capability)) {
      deny(`the capability ${capability}`);
    }
  }
}
