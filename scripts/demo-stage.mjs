// @ts-check
// What the demo prints: quiet, prefixed, coloured on a terminal only.

/** @typedef {ReturnType<typeof createStage>} Stage */

const colours = { dim: 2, red: 31, green: 32, yellow: 33 };
const GiB = 1024 ** 3;
const MiB = 1024 ** 2;

/** @param {NodeJS.WriteStream} out */
export function createStage(out) {
  const startMs = performance.now();
  const coloured = out.isTTY === true && !process.env.NO_COLOR;
  /**
   * @param {keyof typeof colours} name
   * @param {string} text
   */
  const paint = (name, text) => (coloured ? `\u001b[${colours[name]}m${text}\u001b[0m` : text);
  const say = (/** @type {string} */ line) => void out.write(`${line}\n`);
  let submittedMs = startMs;
  let width = 0;
  const prefix = (/** @type {{ name: string }} */ { name }) => {
    const seconds = ((performance.now() - submittedMs) / 1000).toFixed(1).padStart(5);
    return `${paint('dim', `${seconds} s`)}  ${name.padEnd(width)}  `;
  };
  /** @type {Map<string, string>} */
  const said = new Map();
  return {
    say,
    fault: (/** @type {string} */ line) => void (line && process.stderr.write(`${line}\n`)),
    /** What is printed besides the error when the demo fails. */
    onFailure: () => '',
    elapsed: () => `${((performance.now() - startMs) / 1000).toFixed(1)} s`,
    nodeLine: (/** @type {any} */ { name, capacity }) =>
      `node ${name} has ${capacity.cpus} cores, ${sizeText(capacity.memory)} and ${capacity.gpus} GPUs.`,
    begin(/** @type {{ name: string }[]} */ tasks) {
      submittedMs = performance.now();
      width = Math.max(...tasks.map(({ name }) => name.length));
    },
    /** Tells a new state, or a new reason for the old one. */
    change(/** @type {any} */ view) {
      const text = changeText(view);
      if (text === null || said.get(view.id) === text) return;
      said.set(view.id, text);
      say(`${prefix(view)}${paint(colourOf(view.state), text)}`);
    },
    line(/** @type {any} */ view, /** @type {{ stream: string, text: string }} */ { stream, text }) {
      say(`${prefix(view)}${stream === 'stderr' ? '!' : '|'} ${printable(text)}`);
    },
    table(/** @type {any[]} */ views) {
      const head = ['TASK', 'STATE', 'CAUSE', 'EXIT', 'TIME', 'EVIDENCE OR REASON'];
      const rows = [head, ...views.map(rowOf)];
      const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
      say('');
      for (const [at, row] of rows.entries()) {
        const text = row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd();
        say(at === 0 ? text : text.replace(row[1] ?? '', (state) => paint(colourOf(state), state)));
      }
      say('');
    },
  };
}

/** @param {string} state */
function colourOf(state) {
  if (state === 'succeeded') return 'green';
  return state === 'failed' || state === 'lost' || state === 'killed' ? 'red' : 'yellow';
}

/** @param {any} view */
function changeText({ state, reason, end, nodeName }) {
  if (state === 'queued') return reason === null || reason.code === 'submitted' ? null : `waits: ${reason.message}`;
  if (state === 'assigned' || state === 'starting') return null;
  if (end !== null) return `${state}: ${end.message}`;
  if (state === 'running') return `runs on ${nodeName}`;
  return reason === null ? state : `${state}: ${reason.message}`;
}

/** @param {any} view */
function rowOf({ name, state, end, reason, startedAt, endedAt }) {
  const ranMs = startedAt && endedAt ? Date.parse(endedAt) - Date.parse(startedAt) : null;
  return [
    name,
    state,
    end?.cause ?? '-',
    String(end?.exitCode ?? '-'),
    ranMs === null ? '-' : `${(ranMs / 1000).toFixed(2)} s`,
    end === null ? `${reason?.code}: ${reason?.message}` : evidenceText(end),
  ];
}

/** @param {any} end */
function evidenceText({ cause, message, evidence, usage }) {
  if (cause === 'oom' && evidence) {
    const said = [evidence.oomEvent && 'oom event', evidence.oomKilled && 'OOMKilled'].filter(Boolean);
    const peak = evidence.peakBytes === null ? 'unknown' : sizeText(evidence.peakBytes);
    return [...said, `peak ${peak} of ${sizeText(evidence.limitBytes)}`].join(', ');
  }
  if (cause !== 'exit') return message;
  return usage.memoryPeakBytes === null ? '-' : `used ${sizeText(usage.memoryPeakBytes)} of memory`;
}

/** @param {number} bytes */
function sizeText(bytes) {
  return bytes >= GiB ? `${(bytes / GiB).toFixed(1)} GiB` : `${(bytes / MiB).toFixed(1)} MiB`;
}

/** @param {string} text */
function printable(text) {
  // oxlint-disable-next-line no-control-regex -- a task must not steer the terminal
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
}
