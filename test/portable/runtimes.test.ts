import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCall } from '../support/calls.ts';
import { buildWeir, findRuntimes, type Built, type RunningHost, type Runtime } from '../support/runtimes.ts';
import { accessSuite } from './access.ts';
import { eventSuite } from './events.ts';
import { runnerSuite } from './runners.ts';
import type { TargetOf } from './target.ts';
import { taskSuite } from './tasks.ts';

// A Host on each runtime; every suite speaks to it by HTTP alone. `WEIR_RUNTIMES=bun,workerd` takes some of them.
const wanted = process.env['WEIR_RUNTIMES']?.toLowerCase().split(',');
const runtimes = (await findRuntimes()).filter(
  ({ name }) => wanted?.some((word) => name.toLowerCase().includes(word)) ?? true,
);

let built: Built;
beforeAll(() => {
  built = buildWeir();
}, 60_000);
afterAll(() => built[Symbol.dispose]());

for (const { name, missing } of runtimes.filter((one) => one.missing !== null)) {
  it.runIf(false)(`on ${name}, which is not here: ${missing}`, () => expect(missing).toBeNull());
}

describe.each(
  runtimes.filter(({ missing }) => missing === null).map((runtime) => ({ ...runtime, title: runtime.name })),
)(
  'on $title',
  (runtime: Runtime) => {
    let host: RunningHost;
    beforeAll(async () => {
      host = await runtime.start(built);
    }, 90_000);
    afterAll(() => host[Symbol.asyncDispose](), 30_000);

    const target: TargetOf = () => {
      const { url, token } = host;
      return {
        url,
        token,
        dials: runtime.dials,
        call: createCall((path, init) => fetch(`${url}${path}`, init), token),
      };
    };
    accessSuite(target);
    taskSuite(target);
    eventSuite(target);
    runnerSuite(target);
  },
  30_000,
);
