import { joinRunner, exited, type WireRunner } from '../support/runner-wire.ts';
import { startTestHost, type TestHost } from '../support/host.ts';
import { openTerminal, type Terminal } from './cli-harness.ts';

export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** What the tests look at of a task as JSON. */
export interface View {
  id: string;
  state: string;
  batch: string | null;
  priority: string;
  spec: Record<string, unknown>;
}

/** A real Host with one node `gpu-1`, whose Runner is driven by hand, and a command line that knows the Host. */
export interface Desk extends AsyncDisposable {
  host: TestHost;
  runner: WireRunner;
  terminal(stdin?: string): Promise<Terminal>;
  weir(...argv: string[]): Promise<Ran>;
  weirWith(stdin: string, argv: readonly string[]): Promise<Ran>;
  /** The answer with `-o json`. */
  json<T>(...argv: string[]): Promise<T>;
  /** Submits a small task and answers its id. */
  submit(...argv: string[]): Promise<string>;
  /** Waits until the node is told of the task. */
  placed(task: string): Promise<void>;
  running(...argv: string[]): Promise<string>;
  ended(code: number, ...argv: string[]): Promise<string>;
}

const small = ['--image', 'weir/demo:1', '--cpus', '0.1', '--memory', '8MiB'];

export async function openDesk(): Promise<Desk> {
  const host = await startTestHost();
  const labels = { pool: 'day' };
  const runner = await joinRunner(host, { name: 'gpu-1', gpus: ['GPU-a', 'GPU-b'], labels });
  const env = { WEIR_URL: host.url, WEIR_TOKEN: host.token };
  const desk: Desk = {
    host,
    runner,
    terminal: (stdin = '') => openTerminal({ env, stdin }),
    weir: (...argv) => desk.weirWith('', argv),
    async weirWith(stdin, argv) {
      await using terminal = await desk.terminal(stdin);
      const code = await terminal.weir(...argv);
      return { code, out: terminal.stdout.text(), err: terminal.stderr.text() };
    },
    async json<T>(...argv: string[]) {
      const { out, err, code } = await desk.weir(...argv, '-o', 'json');
      if (out === '') throw new Error(`weir ${argv.join(' ')}: ${code} ${err}`);
      return JSON.parse(out) as T;
    },
    async submit(...argv) {
      const { out, err } = await desk.weir('task', 'submit', ...small, '-o', 'name', ...argv);
      if (out === '') throw new Error(err);
      return out.trim();
    },
    async placed(task) {
      while (!runner.desired.has(task)) await runner.sync({ holdMs: 1000 });
    },
    async running(...argv) {
      const task = await desk.submit(...argv);
      await desk.placed(task);
      await runner.report(task, 'running');
      return task;
    },
    async ended(code, ...argv) {
      const task = await desk.running(...argv);
      await runner.report(task, 'ended', { end: exited(code) });
      return task;
    },
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
  return desk;
}
