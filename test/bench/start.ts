import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ensureDemoImage } from '../../scripts/demo-image.mjs';
import { systemClock } from '../../src/lib/clock.ts';
import { demoImage } from '../support/docker.ts';
import { followEvents, type EventTimes } from '../support/event-times.ts';
import { openLab, shellTask, type Served } from '../support/weir-lab.ts';
import { isBuilt } from '../support/weir-process.ts';

interface Row {
  name: string;
  value: number;
  unit: string;
  baseline?: string;
  ratio?: number;
}

const rounds = 20;
const warmUps = 2;
const script = 'echo hi';
/** A whole core: a smaller share throttles what starts the container too, and `docker run` has no limit. */
const resources = { cpus: 1, memory: '64MiB' };

/** One lone task at a time through the API of a Host and a Runner, in turns with `docker run --rm` of the same. */
export async function run(): Promise<{ rows: Row[] }> {
  await ensureDemoImage();
  await using lab = await openLab(isBuilt() ? 'built' : 'source');
  const host = await lab.host();
  await lab.runner('node-a', host);
  await using events = await followEvents(host);
  const ours: Submission[] = [];
  const theirs: { firstOutputMs: number; endMs: number }[] = [];
  for (let round = 0; round < rounds + warmUps; round += 1) {
    const [submitted, ran] = [await submitOne(host, events), await dockerRun()];
    if (round < warmUps) continue;
    ours.push(submitted);
    theirs.push(ran);
  }
  const dockerOutputMs = median(theirs.map(({ firstOutputMs }) => firstOutputMs));
  const dockerEndMs = median(theirs.map(({ endMs }) => endMs));
  const step = (name: string, of: (one: Submission) => number): Row => ({
    name,
    value: median(ours.map(of)),
    unit: 'ms',
  });
  const against = (row: Row, baseline: string, ms: number): Row => ({ ...row, baseline, ratio: row.value / ms });
  return {
    rows: [
      { name: 'docker run: first output', value: dockerOutputMs, unit: 'ms' },
      { name: 'docker run: result', value: dockerEndMs, unit: 'ms' },
      step('submit → answered', ({ answeredMs }) => answeredMs),
      step('submit → assigned', ({ assignedMs }) => assignedMs),
      against(
        step('submit → running', ({ runningMs }) => runningMs),
        'docker run: first output',
        dockerOutputMs,
      ),
      step('submit → end is stored', ({ endedMs }) => endedMs),
      against(
        step('submit → result', ({ resultMs }) => resultMs),
        'docker run: result',
        dockerEndMs,
      ),
    ],
  };
}

/** Milliseconds since the submission was sent. */
interface Submission {
  answeredMs: number;
  assignedMs: number;
  runningMs: number;
  endedMs: number;
  resultMs: number;
}

async function submitOne({ api }: Served, events: EventTimes): Promise<Submission> {
  const sentMs = systemClock.monotonic();
  const { id } = await api.submit(shellTask(script, { resources }));
  const answeredMs = systemClock.monotonic() - sentMs;
  const { end } = await api.get<{ end: { exitCode: number } | null }>(`/tasks/${id}/wait?timeout=60s`);
  const resultMs = systemClock.monotonic() - sentMs;
  if (end?.exitCode !== 0) throw new Error(`${id} did not succeed: ${JSON.stringify(end)}`);
  const endedMs = (await events.of(id, 'task.succeeded')) - sentMs;
  const running = events.seen(id, 'task.running');
  return {
    answeredMs,
    assignedMs: (await events.of(id, 'task.assigned')) - sentMs,
    // A task may end before its running was told: then that is when it was known.
    runningMs: running === null ? endedMs : running - sentMs,
    endedMs,
    resultMs,
  };
}

async function dockerRun(): Promise<{ firstOutputMs: number; endMs: number }> {
  const sentMs = systemClock.monotonic();
  const child = spawn('docker', ['run', '--rm', demoImage, '/bin/sh', '-c', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  await once(child.stdout, 'data');
  const firstOutputMs = systemClock.monotonic() - sentMs;
  await closed;
  return { firstOutputMs, endMs: systemClock.monotonic() - sentMs };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
