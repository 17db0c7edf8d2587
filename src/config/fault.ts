/** Something that is wrong with one key. */
export interface Fault {
  /** Such as `host.sync.hold` or `runner.mounts.1.path`; empty when it is about the file as a whole. */
  path: string;
  /** What is wrong, with the value. */
  message: string;
  /** `/etc/weir/config.json:4:13`, the name of a variable, `--listen`. */
  source: string;
  /** What would mend it. */
  fix: string;
}

/** The configuration cannot be used; every fault that was found is in it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map(faultText).join('\n'));
    this.faults = faults;
  }
}

export function faultText({ path, message, source, fix }: Fault): string {
  return `${path === '' ? '' : `${path}: `}${message} (${source}); ${fix}`;
}
