import { request } from 'node:http';

export interface EngineAnswer {
  status: number;
  /** Parsed; `null` when there was nothing, or something else than JSON. */
  body: unknown;
}

/** One call of the Docker Engine's API: what little this room needs is not worth a client library. */
export type EngineCall = (
  call: { method: 'GET' | 'POST' | 'DELETE'; path: string; body?: unknown },
  signal: AbortSignal,
) => Promise<EngineAnswer>;

const silenceMs = 30_000;

/** @param socketPath of the Engine's unix socket */
export function createEngineCall(socketPath: string): EngineCall {
  return ({ method, path, body }, signal) =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const headers = { Host: 'docker', 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
      const calling = request({ socketPath, method, path, headers, signal, agent: false }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body: parseJson(Buffer.concat(parts).toString()) });
        });
      });
      calling.on('error', (cause) => {
        reject(
          signal.aborted ? signal.reason : new Error(`the Docker Engine does not answer: ${cause.message}`, { cause }),
        );
      });
      calling.setTimeout(silenceMs, () => calling.destroy(new Error(`no answer within ${silenceMs / 1000} s`)));
      calling.end(text);
    });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
