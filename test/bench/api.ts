import { capture } from '../../scripts/run.mjs';
import { findBun } from '../../scripts/runtimes.mjs';
import { systemClock } from '../../src/lib/clock.ts';
import { smallTask } from '../support/calls.ts';
import { buildWeir, findRuntimes, type Built, type RunningHost } from '../support/runtimes.ts';

interface Row {
  name: string;
  value: number;
  unit: string;
  baseline?: string;
  ratio?: number;
}

/** Waits for a node that does not exist, so that the figure is of submission alone. */
const waiting = { ...smallTask, resources: { ...smallTask.resources, cpus: 1000 } };
const listed = 500;

/** Rates of a whole Host over loopback on each runtime, the load made by this process; and the start of the command. */
export async function run(): Promise<{ rows: Row[] }> {
  const built = buildWeir();
  try {
    const rows: Row[] = [];
    for (const runtime of await findRuntimes()) {
      if (runtime.missing !== null) continue;
      const host = await runtime.start(built);
      try {
        rows.push(...(await rates(runtime.name, host)));
      } finally {
        await host[Symbol.asyncDispose]();
      }
    }
    return { rows: [...rows, ...startUp(built)] };
  } finally {
    built[Symbol.dispose]();
  }
}

async function rates(name: string, { url, token }: RunningHost): Promise<Row[]> {
  const ask = async (path: string, body?: unknown): Promise<void> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const answer = await fetch(`${url}${path}`, { headers, ...sent });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
  };
  const submit = (): Promise<void> => ask('/api/v1/tasks', waiting);
  await ask(
    '/api/v1/tasks/batch',
    Array.from({ length: listed }, () => waiting),
  );
  for (let warm = 0; warm < 20; warm += 1) await submit();
  const rows: Row[] = [];
  for (const clients of [1, 16, 64]) {
    rows.push({
      name: `${name}: submit, ${clients} clients`,
      value: await rate(clients, submit),
      unit: 'requests/s',
    });
  }
  for (const clients of [1, 16]) {
    rows.push({
      name: `${name}: list of 50, ${clients} clients`,
      value: await rate(clients, () => ask('/api/v1/tasks?limit=50')),
      unit: 'requests/s',
    });
  }
  return rows;
}

const measureMs = 2000;

async function rate(clients: number, work: () => Promise<void>): Promise<number> {
  const startedMs = systemClock.monotonic();
  let done = 0;
  const client = async (): Promise<void> => {
    while (systemClock.monotonic() - startedMs < measureMs) {
      await work();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return Math.round((done / (systemClock.monotonic() - startedMs)) * 1000);
}

function startUp({ main }: Built): Row[] {
  const node = median(() => capture(process.execPath, ['-e', '0']));
  const bare = 'Node alone, from start to end';
  const rows: Row[] = [
    { name: bare, value: node, unit: 'ms' },
    {
      name: 'weir --version on Node',
      value: median(() => capture(process.execPath, [main, '--version'])),
      unit: 'ms',
    },
    {
      name: 'weir --help on Node',
      value: median(() => capture(process.execPath, [main, '--help'])),
      unit: 'ms',
    },
  ];
  const bun = findBun();
  if ('path' in bun)
    rows.push({
      name: 'weir --version on Bun',
      value: median(() => capture(bun.path, [main, '--version'])),
      unit: 'ms',
    });
  return rows.map((row) => ({
    ...row,
    baseline: bare,
    ratio: Math.round((row.value / node) * 100) / 100,
  }));
}

function median(work: () => unknown): number {
  const times = Array.from({ length: 9 }, () => {
    const startedMs = systemClock.monotonic();
    work();
    return systemClock.monotonic() - startedMs;
  });
  return Math.round(times.toSorted((a, b) => a - b)[4] ?? 0);
}
