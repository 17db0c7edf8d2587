// @ts-check
// A Host, a Runner and real tasks on this machine: sets up, runs, shows, and takes away all that it started.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { demoImage, ensureDemoImage } from './demo-image.mjs';
import { connect, ensureBuilt, lastLines, startWeir, waitForNode } from './demo-weir.mjs';
import { createStage } from './demo-stage.mjs';
import { expectations, makeTasks } from './demo-tasks.mjs';
import { followAll } from './demo-follow.mjs';
import { capture } from './run.mjs';
import { setup, SetupError } from './setup.mjs';

const longestMs = 90_000;
/** Reasons of a task that fits the node but not beside what runs. */
const forRoom = new Set(['resources', 'fragmented', 'reserved']);

/** @typedef {() => unknown} CleanUp */

/**
 * @param {{ cleanUps: CleanUp[], stage: import('./demo-stage.mjs').Stage, signal: AbortSignal }} run
 * @returns {Promise<boolean>} whether every task ended as expected
 */
async function demo({ cleanUps, stage, signal }) {
  const ready = await setup({ docker: true });
  cleanUps.push(() => ready[Symbol.asyncDispose]());
  signal.throwIfAborted();
  if (ensureBuilt() === 'built') stage.say('Built dist/.');
  if ((await ensureDemoImage()) === 'built') stage.say(`Built the image ${demoImage}.`);

  const data = mkdtempSync(join(tmpdir(), 'weir-demo-'));
  cleanUps.push(() => rmSync(data, { recursive: true, force: true }));
  const network = keepNetwork();
  cleanUps.push(network.restore);
  const weir = await startWeir(data, signal);
  cleanUps.push(weir.stop);
  stage.onFailure = () =>
    `${weir.hasEnded() ? 'weir up has ended by itself; its log' : 'The log of weir up'}:\n${lastLines(weir.logFile)}`;

  // Its own signal: what is cleaned up is cleaned up after Ctrl-C too.
  const always = connect(weir, AbortSignal.timeout(longestMs + 30_000));
  const api = connect(weir, signal);
  const { cluster } = await api.json('/status');
  cleanUps.push(() => removeContainers(cluster, weir.hasEnded() ? 0 : 50));
  cleanUps.push(() => (weir.hasEnded() ? undefined : killAll(always)));
  const node = await waitForNode(api, signal);
  stage.say(`weir up answers at ${weir.url}; ${stage.nodeLine(node)}`);

  const since = (await api.json('/nodes')).asOf;
  const specs = makeTasks(node, demoImage);
  const { items } = await api.json('/tasks/batch', specs);
  stage.begin(items);
  stage.say(`Submitted ${items.length} tasks at once:`);
  const seen = await followAll({ api, stage, tasks: items, since }, signal);
  const views = await Promise.all(items.map((/** @type {any} */ { id }) => api.json(`/tasks/${id}`)));
  stage.table(views);
  await explainWaiting({ api, stage, views });
  const faults = views.flatMap((view) => expectations(view, seen.get(view.id) ?? { reasons: [], lines: [] }));
  const hasWaited = views.some((view) => seen.get(view.id)?.reasons.some((code) => forRoom.has(code)));
  if (!hasWaited) faults.push('no task was seen to wait for room');
  for (const fault of faults) stage.fault(fault);
  if (faults.length === 0) stage.say(`All ${views.length} tasks did what they should.`);
  return faults.length === 0;
}

/** @param {{ api: import('./demo-weir.mjs').Api, stage: import('./demo-stage.mjs').Stage, views: any[] }} of */
async function explainWaiting({ api, stage, views }) {
  for (const { id, name, state } of views) {
    if (state !== 'queued') continue;
    const { reason, nodes } = await api.json(`/tasks/${id}/explain`);
    stage.say(
      `Why ${name} waits, node by node: ${nodes.map((/** @type {any} */ one) => `${one.nodeName}: ${one.detail}`).join('; ')}.`,
    );
    stage.say(`What would change it: ${reason.advice}\n`);
  }
}

/**
 * Kills what has not ended and waits until it has.
 * @param {import('./demo-weir.mjs').Api} api
 */
async function killAll(api) {
  const left = 'held,queued,assigned,pulling,starting,running,paused,stopping';
  const { items } = await api.json(`/tasks?state=${left}&limit=1000`);
  for (const { id } of items) {
    // It may have ended in this moment.
    await api.json(`/tasks/${id}/kill`, { message: 'the demo is over', force: true }).catch(() => {});
  }
  await Promise.all(items.map((/** @type {any} */ { id }) => api.json(`/tasks/${id}/wait?timeout=15s`)));
}

/**
 * A Runner removes a container as soon as the Host has its result; what is left after a moment goes by force.
 * @param {string} cluster
 * @param {number} mostLooks
 */
async function removeContainers(cluster, mostLooks) {
  const list = ['ps', '-aq', '--filter', `label=weir.cluster=${cluster}`];
  for (let looks = 1; ; looks += 1) {
    const ids = capture('docker', list).stdout.trim();
    if (ids === '') return;
    if (looks > mostLooks) {
      capture('docker', ['rm', '-fv', ...ids.split('\n')]);
      return;
    }
    await sleep(100);
  }
}

/** A network and a table of rules that were not there before do not stay. */
function keepNetwork() {
  const had = capture('docker', ['network', 'inspect', 'weir']).ok;
  return {
    restore() {
      // In use by another Weir that was started meanwhile: the engine refuses, and the rules stay as well.
      if (had || !capture('docker', ['network', 'rm', 'weir']).ok) return;
      capture('nft', ['delete', 'table', 'inet', 'weir']);
    },
  };
}

async function main() {
  const stage = createStage(process.stdout);
  if (process.getuid?.() !== 0) {
    stage.fault('The demo needs root, to run containers and read what they print: sudo env PATH="$PATH" npm run demo');
    return 1;
  }
  const stop = new AbortController();
  const interrupt = () => stop.abort(new Error('interrupted'));
  for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(name, interrupt);
  /** @type {CleanUp[]} */
  const cleanUps = [];
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(longestMs)]);
  let code = 1;
  try {
    code = (await demo({ cleanUps, stage, signal })) ? 0 : 1;
  } catch (error) {
    code = stop.signal.aborted ? 130 : 1;
    // The end of a child is heard of after that of its connections.
    await sleep(200);
    stage.fault(stop.signal.aborted ? 'Interrupted.' : textOf(error, signal.aborted));
    if (code === 1) stage.fault(stage.onFailure());
  }
  for (const cleanUp of cleanUps.toReversed()) {
    try {
      await cleanUp();
    } catch (error) {
      code = code === 0 ? 1 : code;
      stage.fault(`Could not clean up: ${textOf(error, false)}`);
    }
  }
  if (cleanUps.length > 1) stage.say(`Stopped all that was started. ${stage.elapsed()} in all.`);
  return code;
}

/**
 * @param {unknown} error
 * @param {boolean} late
 */
function textOf(error, late) {
  if (late) return `The demo did not end within ${longestMs / 1000} s.`;
  if (error instanceof SetupError) return error.message;
  return error instanceof Error ? error.message : String(error);
}

process.exitCode = await main();
