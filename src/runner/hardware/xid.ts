/**
 * The last error number of each card that the driver wrote into the kernel's log, by PCI address as sysfs spells it:
 * `NVRM: Xid (PCI:0000:3b:00): 79, pid=1234, GPU has fallen off the bus.` The log has no function number.
 */
export function parseXids(kernelLog: string): Map<string, number> {
  const last = new Map<string, number>();
  for (const [, domain = '', rest = '', code = ''] of kernelLog.matchAll(
    /NVRM: Xid \(PCI:([0-9a-f]{4,8}):([0-9a-f]{2}:[0-9a-f]{2})(?:\.[0-7])?\): (\d{1,5})\b/gi,
  )) {
    const short = Number.parseInt(domain, 16).toString(16).padStart(4, '0');
    last.set(`${short}:${rest.toLowerCase()}.0`, Number(code));
  }
  return last;
}
