import { createBackoff } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import { createWake, type Wake } from '../../lib/wake.ts';
import type { Cli } from '../cli.ts';
import { CliError } from '../cli-error.ts';
import { type Api, patiently } from '../client/api.ts';
import type { EventQuery } from '../client/events.ts';
import { type Format, type Forms, jsonText, print, textOf } from '../output/print.ts';
import { listen } from './listen.ts';
import { createReporter } from './reporter.ts';
import { createScreen, type Screen } from './screen.ts';

interface Shown {
  api: Api;
  format: Format;
  /** Which events may change it. */
  events: Omit<EventQuery, 'since'>;
  /** Reads it: once, or each time that something may have changed. */
  read(signal: AbortSignal): Promise<Forms>;
}

/** Shows it once, or with `watch` until Ctrl-C. @throws CliError when the Host refuses */
export async function showOrWatch(cli: Cli, shown: Shown, watch: true | undefined): Promise<void> {
  if (watch) await keepShowing(cli, shown);
  else await print(cli, shown.format, await shown.read(cli.signal));
}

/** A burst of events is one change: so long after the first of them it is read, ms. */
const gatherMs = 150;
/** On a terminal it is drawn again so often for its times, and read again for what no event tells, ms. */
const redrawMs = 1000;
const rereadMs = 15_000;

async function keepShowing(cli: Cli, shown: Shown): Promise<void> {
  const over = new AbortController();
  const enough = new Error('watched enough');
  const off = cli.onInterrupt(() => over.abort(enough));
  const signal = AbortSignal.any([cli.signal, over.signal]);
  const screen = createScreen(cli.stdout);
  const wake = createWake();
  listenOn(cli, { shown, wake }, signal).catch((error: unknown) => over.abort(error));
  try {
    await draw(cli, { shown, screen, wake }, signal);
  } catch (error) {
    if (over.signal.reason !== enough) throw error;
  } finally {
    screen.leave();
    off();
    over.abort(enough);
  }
}

async function listenOn(cli: Cli, { shown, wake }: { shown: Shown; wake: Wake }, signal: AbortSignal): Promise<never> {
  const raise = (): void => wake.raise();
  const { api, events } = shown;
  for (;;) {
    try {
      await listen({ ...cli, api, query: events, onOpen: raise, onEvent: raise }, signal);
    } catch (error) {
      // Events were missed: whatever they said is in what is read next.
      if (!(error instanceof CliError) || error.details.code !== 'gone') throw error;
    }
  }
}

interface Drawing {
  shown: Shown;
  screen: Screen;
  wake: Wake;
}

async function draw(cli: Cli, { shown, screen, wake }: Drawing, signal: AbortSignal): Promise<never> {
  const { clock } = cli;
  const isTerminal = cli.stdout.isTTY === true;
  const reporter = createReporter(cli.stderr);
  const backoff = createBackoff({ firstMs: 200, longestMs: 5000, random: cli.random.fraction });
  const patience = { clock, backoff, onTrouble: reporter.onTrouble };
  let before = '';
  for (;;) {
    const forms = await patiently(patience, () => shown.read(signal), signal);
    backoff.reset();
    reporter.clear();
    const now = lasting(forms.value);
    const untilMs = clock.monotonic() + rereadMs;
    if (!isTerminal && now !== before) screen.show(await blockOf(shown.format, forms));
    before = now;
    for (let woken = false; !woken;) {
      if (isTerminal) screen.show(await blockOf(shown.format, forms));
      woken = await raised(clock, { wake, withinMs: isTerminal ? redrawMs : null }, signal);
      if (isTerminal && clock.monotonic() >= untilMs) break;
    }
    await clock.sleep(gatherMs, signal);
  }
}

/** What moves all the time is no change. */
const moving = new Set(['asOf', 'lastContactAt', 'load', 'usage', 'oldestSeconds']);

function lasting(value: unknown): string {
  return JSON.stringify(value, (key, one: unknown) => (moving.has(key) ? undefined : one));
}

async function blockOf(format: Format, forms: Forms): Promise<string> {
  if (format === 'json') return `${jsonText(forms.value)}\n`;
  const text = await textOf(format, forms);
  return format === 'yaml' ? `---\n${text}` : text;
}

/** Waits for the wake; answers `false` when the time was over before, which it is never with `null`. */
async function raised(
  clock: Clock,
  { wake, withinMs }: { wake: Wake; withinMs: number | null },
  signal: AbortSignal,
): Promise<boolean> {
  if (withinMs === null) {
    await wake.wait(signal);
    return true;
  }
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  try {
    return await Promise.race([wake.wait(either).then(() => true), clock.sleep(withinMs, either).then(() => false)]);
  } finally {
    over.abort();
  }
}
