import { createMiddleware } from 'hono/factory';
import { ProblemError } from '../../protocol/problem.ts';
import type { AccessEnv } from '../auth/access.ts';

export interface BodyLimits {
  bytes: number;
  /** Of nested objects and arrays. */
  depth: number;
}

export const usualBody: BodyLimits = { bytes: 1_048_576, depth: 16 };
export const batchBody: BodyLimits = { bytes: 16_777_216, depth: 16 };

/**
 * Reads a JSON body within bounds before anything parses it, so that what follows reads it from memory.
 * @throws ProblemError `unsupported_media_type`, `body_too_large`, `bad_json`
 */
export const jsonBody = (limits: BodyLimits = usualBody) =>
  createMiddleware<AccessEnv>(async (c, next) => {
    const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
    const bytes = await readBytes(c.req.raw, limits.bytes);
    if (bytes.length > 0 && type !== 'application/json') {
      throw new ProblemError('unsupported_media_type', `the content type is "${type ?? 'not given'}"`, {
        fix: 'send "Content-Type: application/json"',
      });
    }
    if (c.req.header('content-encoding') !== undefined) {
      throw new ProblemError('unsupported_media_type', 'compressed bodies are not read', { fix: 'send it as it is' });
    }
    const text = bytes.length === 0 ? '{}' : decode(bytes);
    checkJson(text, limits.depth);
    // Hono's own readers take the body from here; they expect a promise, whatever the declared type says.
    Object.assign(c.req.bodyCache, { text: Promise.resolve(text) });
    await next();
  });

async function readBytes(request: Request, most: number): Promise<Uint8Array> {
  const tooLarge = (): ProblemError =>
    new ProblemError('body_too_large', `the body is larger than ${most} bytes`, {
      fix: 'split it into several requests',
    });
  if (Number(request.headers.get('content-length') ?? 0) > most) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > most) throw tooLarge();
    chunks.push(chunk);
  }
  return join(chunks, length);
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = chunks;
  if (chunks.length === 1 && only) return only;
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new ProblemError('bad_json', 'the body is not UTF-8', { cause: error });
  }
}

function checkJson(text: string, mostDepth: number): void {
  if (nesting(text) > mostDepth) {
    throw new ProblemError('bad_json', `the body is nested deeper than ${mostDepth} levels`);
  }
  try {
    JSON.parse(text);
  } catch (error) {
    const why = error instanceof SyntaxError ? error.message : 'it does not parse';
    throw new ProblemError('bad_json', `the body is not JSON: ${why}`, { cause: error });
  }
}

/** Depth of brackets outside strings, without building anything. */
function nesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === 0x5c) at += 1;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, (depth += 1));
    else if (code === 0x7d || code === 0x5d) depth -= 1;
  }
  return deepest;
}
