import { printable, shorten } from '../../../lib/text.ts';
import { BackendError } from '../backend.ts';

/** What runc and the engine wrap around the sentence that matters. */
const wrapping =
  /^(?:(?:failed to create (?:shim task|shim)|OCI runtime create failed|container_linux\.go:\d+|runc create failed|starting container process caused|unable to start container process|error during container init|failed to start shim|Error response from daemon)\b[^:]*:\s*)+/i;

/** Makes the engine's refusal to create or start into ours: which command, which user, which option. */
export function startError(image: string, sentence: string, cause?: unknown): BackendError {
  const command = /exec: "([^"]*)"[^:]*: (.+?)(?:: unknown)?$/s.exec(sentence);
  if (command !== null) {
    const why = (command[2] ?? '').replace(/^stat [^:]*: /, '').trim();
    return refuse(`the command "${command[1]}" cannot be run in "${image}": ${why}`, cause);
  }
  if (/no command specified/i.test(sentence)) {
    return refuse(`"${image}" has no command of its own: give one`, cause);
  }
  const limit = /error setting rlimits?\b.*operation not permitted/i.test(sentence);
  if (limit) return refuse('this node cannot give the ulimits: its Engine may not raise them so far', cause);
  if (/unable to apply caps: operation not permitted/i.test(sentence)) {
    return refuse('this node cannot give the capabilities: its Engine has not all of them itself', cause);
  }
  const plain = sentence
    .trim()
    .replace(wrapping, '')
    .replace(/: unknown$/, '');
  return refuse(`the engine could not start it: ${plain}`, cause);
}

function refuse(message: string, cause: unknown): BackendError {
  return new BackendError('start_failed', shorten(printable(message), 2000), cause);
}
