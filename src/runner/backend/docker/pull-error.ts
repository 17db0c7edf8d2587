import { printable, shorten } from '../../../lib/text.ts';
import { BackendError } from '../backend.ts';

const notThere =
  /manifest unknown|manifest for .* not found|not found: |repository does not exist|pull access denied|name unknown|no such image|invalid reference format/i;

const reasons: readonly (readonly [RegExp, string])[] = [
  [/no such host|server misbehaving|temporary failure in name resolution/i, "the registry's name does not resolve"],
  [/no space left on device/i, "the node's disk is full"],
  [/toomanyrequests|too many requests/i, 'the registry says that too much was pulled from here'],
  [/unauthorized|authentication required|denied/i, 'the registry asks for a credential'],
  [/x509|certificate/i, "the registry's certificate is not trusted"],
  [/connection refused/i, 'nothing answers at the registry'],
  [/timeout|deadline exceeded|Client\.Timeout/i, 'the registry did not answer in time'],
  [/no matching manifest/i, 'the image is not made for this kind of machine'],
];

/** Makes the engine's sentence about a failed pull into ours. */
export function pullError(image: string, sentence: string, cause?: unknown): BackendError {
  const said = shorten(printable(sentence.trim()), 1000);
  if (notThere.test(sentence)) {
    return new BackendError(
      'image_not_found',
      `"${image}" is not in its registry, or needs a credential (the engine says: ${said})`,
      cause,
    );
  }
  const known = reasons.find(([pattern]) => pattern.test(sentence))?.[1] ?? 'the engine refused';
  return new BackendError(
    'image_pull_failed',
    `"${image}" could not be pulled: ${known} (the engine says: ${said})`,
    cause,
  );
}
