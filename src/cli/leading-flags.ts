/** Flags of the connection, which may also stand in front of the command: `weir --data DIR task list`. */
const movable = new Set(['--url', '--token-file', '--pin', '--data', '--context', '-o', '--output']);

/**
 * Puts connection flags that stand in front of the command behind it, where the commands read them: at the end, but in
 * front of `--`, behind which everything is the workload's own.
 */
export function leadingFlagsLast(argv: readonly string[]): readonly string[] {
  let at = 0;
  while (at < argv.length) {
    const [flag = '', value] = (argv[at] ?? '').split('=', 2);
    if (!movable.has(flag)) break;
    at += value === undefined ? 2 : 1;
  }
  if (at === 0 || at >= argv.length) return argv;
  const flags = argv.slice(0, at);
  const rest = argv.slice(at);
  const end = rest.includes('--') ? rest.indexOf('--') : rest.length;
  return [...rest.slice(0, end), ...flags, ...rest.slice(end)];
}
