// @ts-check
// The demo's tasks, and how each of them should end.

const MiB = 1024 * 1024;

/**
 * @typedef {{
 *   reasons: string[],
 *   lines: string[],
 * }} Seen Codes of the reasons that a task waited for, and the lines that it printed.
 */

/**
 * @param {{ capacity: { cpus: number, memory: number } }} node
 * @param {string} image
 */
export function makeTasks(node, image) {
  const small = { cpus: 0.1, memory: 32 * MiB };
  // More than half of the node: a second one does not fit beside it.
  const wide = { cpus: Math.floor(node.capacity.cpus * 600) / 1000, memory: 32 * MiB };
  const wideTask = (/** @type {number} */ number) => ({
    name: `wide-${number}`,
    image,
    shell: `echo "taking ${wide.cpus} cores"; sleep 1`,
    resources: wide,
    timeLimit: '30s',
  });
  return [
    {
      name: 'hello',
      image,
      shell: 'for step in 1 2 3; do echo "step $step of 3 of $WEIR_TASK_ID on $WEIR_NODE"; sleep 0.4; done',
      resources: small,
      timeLimit: '30s',
    },
    {
      name: 'fails',
      image,
      shell: 'echo "cannot find the input" >&2; exit 3',
      resources: small,
      timeLimit: '30s',
    },
    {
      name: 'memory-hog',
      image,
      shell: 'echo "taking all the memory there is"; tail /dev/zero',
      resources: small,
      timeLimit: '30s',
    },
    {
      name: 'endless',
      image,
      shell: 'while true; do echo "still at it"; sleep 1; done',
      resources: small,
      timeLimit: '2s',
      stopGrace: '2s',
    },
    wideTask(1),
    wideTask(2),
    wideTask(3),
    {
      name: 'impossible',
      image,
      command: ['true'],
      resources: { cpus: 0.1, memory: node.capacity.memory * 2 },
    },
  ];
}

/** @type {Record<string, (view: any, seen: Seen) => boolean>} */
const expected = {
  hello: ({ state, end }, { lines }) =>
    state === 'succeeded' && end.cause === 'exit' && end.exitCode === 0 && lines.length === 3,
  fails: ({ state, end }, { lines }) =>
    state === 'failed' && end.cause === 'exit' && end.exitCode === 3 && lines.length === 1,
  'memory-hog': ({ state, end }) => state === 'failed' && end.cause === 'oom' && hasEvidence(end.evidence),
  endless: ({ state, end }, { lines }) => state === 'failed' && end.cause === 'timeout' && lines.length > 0,
  impossible: ({ state, reason }) => state === 'queued' && reason.code === 'impossible',
};

/** @param {any} evidence */
function hasEvidence({ oomEvent, oomKilled, peakBytes, limitBytes }) {
  return oomEvent || oomKilled || (peakBytes !== null && peakBytes >= limitBytes);
}

/**
 * What is not as it should be, as sentences.
 * @param {any} view
 * @param {Seen} seen
 */
export function expectations(view, seen) {
  const check = expected[view.name] ?? (({ state }) => state === 'succeeded');
  if (check(view, seen)) return [];
  return [
    `${view.name} is not as it should be: ${JSON.stringify({ state: view.state, end: view.end, reason: view.reason, seen })}`,
  ];
}

/**
 * Whether nothing more will happen to the task.
 * @param {any} view
 */
export function isSettled(view) {
  return view.endedAt !== null || view.reason?.code === 'impossible';
}
