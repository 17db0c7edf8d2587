import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTerminal, type Terminal } from './cli-harness.ts';
import { type SmallHost, startSmallHost } from './small-host.ts';

let host: SmallHost;
let terminal: Terminal;

const env = () => ({ WEIR_URL: host.url, WEIR_TOKEN: host.token });

beforeEach(async () => {
  host = await startSmallHost();
  terminal = await openTerminal({ env: env() });
  await terminal.weir('task', 'submit', '--image', 'i', '--name', 'one', '-o', 'name');
});

afterEach(async () => {
  await terminal[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

const asks = (): number => host.requests.filter(({ url }) => /\/tasks($|\?)/.test(url)).length;

describe('--watch', () => {
  it('shows what changes when it changes, and does not ask in between', async () => {
    const watching = terminal.weir('task', 'list', '--watch');
    await terminal.stdout.shows(/t1 +one +queued/);
    await host.asked(/^GET .*\/events/);
    host.move('t1', 'running');
    await terminal.stdout.shows(/\n\nID .*\nt1 +one +running/);
    const before = asks();
    // An event that changes nothing of what is shown makes no block.
    host.move('t1', 'running');
    host.move('t1', 'paused');
    await terminal.stdout.shows(/paused/);
    expect(asks() - before).toBeLessThanOrEqual(2);
    terminal.pressCtrlC();
    expect(await watching).toBe(0);
    expect(terminal.stdout.text().match(/^ID/gm)).toHaveLength(3);
  });

  it('waits for a Host that goes away and shows what happened meanwhile', { timeout: 10_000 }, async () => {
    const watching = terminal.weir('task', 'show', 't1', '--watch', '-o', 'json');
    await terminal.stdout.shows(/"queued"/);
    await host.asked(/^GET .*\/events/);
    await host.stop();
    host.move('t1', 'running');
    await host.restart();
    await terminal.stdout.shows(/"running"/);
    terminal.pressCtrlC();
    expect(await watching).toBe(0);
  });

  it('draws over itself on a terminal', async () => {
    await using screen = await openTerminal({ env: env(), isTTY: true });
    const watching = screen.weir('task', 'list', '--watch');
    await screen.stdout.shows(/queued/);
    await host.asked(/^GET .*\/events/);
    host.move('t1', 'running');
    await screen.stdout.shows(/\[HID[^]*running/);
    screen.pressCtrlC();
    expect(await watching).toBe(0);
    expect(screen.stdout.text()).toMatch(/\[\?7h$/);
  });

  it('ends with the refusal when the Host refuses', async () => {
    expect(await terminal.weir('task', 'show', 'nobody', '--watch')).toBe(3);
    expect(terminal.stderr.text()).toMatch(/there is no task "nobody"/);
  });
});
