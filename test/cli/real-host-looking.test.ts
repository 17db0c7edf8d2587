import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joinRunner } from '../support/runner-wire.ts';
import { type Desk, openDesk, type View } from './desk.ts';

let desk: Desk;

beforeAll(async () => {
  desk = await openDesk();
});

afterAll(() => desk[Symbol.asyncDispose]());

describe('looking', () => {
  it('knows whose the tasks are', async () => {
    const task = await desk.submit('--hold', '--name', 'mine', '--', 'true');
    const { items } = await desk.json<{ items: View[] }>('task', 'list', '--owner', 'me', '--name', 'mine');
    expect(items.map(({ id }) => id)).toEqual([task]);
    const wide = (await desk.weir('task', 'list', '--name', 'mine', '-o', 'wide')).out;
    expect(wide).toMatch(/OWNER +PRIORITY .*ASKS FOR/);
    expect(wide).toMatch(/admin +normal +0 +0\.1 cores, 8 MiB/);
    await desk.weir('task', 'kill', task);
  });

  it('explains, waits and lists what it can of a task', async () => {
    const task = await desk.submit('--cpus', '500', '--name', 'huge', '--', 'true');
    await expect
      .poll(async () => (await desk.json<View & { reason: unknown }>('task', 'show', task)).reason)
      .toMatchObject({ code: 'impossible' });
    expect((await desk.weir('task', 'explain', 'huge')).out).toMatch(/gpu-1 +no/);
    expect((await desk.weir('task', 'wait', '--timeout', '10ms', task)).code).toBe(124);
    const { out } = await desk.weir('status');
    expect(out).toMatch(/^NODE +STATE +CPUS/m);
    expect(out).toMatch(/^gpu-1 +ready +\[.*\] .*\/8 /m);
    expect(out).toMatch(/^normal +\d+ .*1 impossible/m);
    expect(out).toMatch(new RegExp(`^${task} huge +impossible: `, 'm'));
    await desk.weir('task', 'kill', task);
  });

  it('tells on a watch each change in a block of its own, until Ctrl-C', async () => {
    const task = await desk.submit('--hold', '--name', 'watched', '--', 'true');
    const terminal = await desk.terminal();
    const watching = terminal.weir('task', 'show', task, '--watch', '-o', 'json');
    await terminal.stdout.shows(/"state":"held"/);
    await desk.weir('task', 'kill', task);
    await terminal.stdout.shows(/"state":"killed"/);
    terminal.pressCtrlC();
    expect(await watching).toBe(0);
    const states = terminal.stdout
      .text()
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as View).state);
    expect(states).toEqual(['held', 'killed']);
    await terminal[Symbol.asyncDispose]();
  });

  it('refuses what is not there', async () => {
    expect((await desk.weir('task', 'show', 't99999')).code).toBe(3);
    expect((await desk.weir('task', 'logs', 'nobody')).code).toBe(3);
    expect((await desk.weir('node', 'show', 'nobody')).code).toBe(3);
    expect((await desk.weir('task', 'list', '--node', 'nobody')).code).toBe(4);
    expect((await desk.weir('task', 'list', '--batch', 'x')).code).toBe(4);
  });
});

describe('nodes', () => {
  it('are cordoned, drained and given labels, and taken back', async () => {
    expect((await desk.weir('node', 'cordon', 'gpu-1', '--reason', 'a driver')).out).toMatch(/ready, cordoned/);
    expect((await desk.weir('node', 'show', 'gpu-1')).out).toMatch(/^cordoned: +a driver \(by admin/m);
    expect((await desk.weir('node', 'uncordon', 'gpu-1')).out).not.toMatch(/cordoned/);
    expect((await desk.weir('node', 'drain', 'gpu-1', '--reason', 'disk')).out).toMatch(/draining/);
    expect((await desk.weir('node', 'undrain', 'gpu-1')).code).toBe(0);
    const labelled = await desk.json<{ labels: unknown }>('node', 'label', 'gpu-1', 'rack=4', 'pool-');
    expect(labelled.labels).toEqual({ rack: '4' });
    expect((await desk.weir('node', 'list', '-o', 'wide')).out).toMatch(/rack=4/);
    expect((await desk.weir('node', 'cordon', 'nobody')).code).toBe(3);
  });

  it('join with a token, and are removed', async () => {
    expect((await desk.weir('node', 'join-token', '--expires', '10m')).out).toMatch(/^\S+\n$/);
    const other = await joinRunner(desk.host, { name: 'leaves' });
    expect((await desk.weir('node', 'remove', other.name)).out).toBe('leaves\n');
    expect((await desk.weir('node', 'show', 'leaves')).code).toBe(3);
  });
});

describe('the Tab key', () => {
  it('offers ids and names of tasks that the command can do something to, and nodes', async () => {
    const task = await desk.submit('--hold', '--name', 'tabbed', '--', 'true');
    const release = (await desk.weir('complete', '--', 'task', 'release', 'tab')).out;
    expect(release).toBe(`tabbed\t${task} held\n`);
    expect((await desk.weir('complete', '--', 'task', 'pause', 'tab')).out).toBe('');
    expect((await desk.weir('complete', '--', 'node', 'show', 'gpu')).out).toMatch(/^gpu-1\tn\w+ ready\n$/);
    expect((await desk.weir('complete', '--', 'run', '--node=gpu')).out).toMatch(/^--node=gpu-1\t/);
    await desk.weir('task', 'kill', task);
  });
});

describe('the rest', () => {
  it('tells versions and who speaks', async () => {
    expect((await desk.json<Record<string, unknown>>('version', '--host'))['host']).toBe('0.0.0-test');
    expect((await desk.weir('login', '--url', desk.host.url)).code).toBe(2);
  });
});
