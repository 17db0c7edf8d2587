/** A frame of the engine's multiplexed stream (`POST /containers/{id}/attach`, "Stream format"). */
export interface Frame {
  stream: 'stdout' | 'stderr';
  bytes: Buffer;
}

const headerBytes = 8;

/** Takes the frames out of a multiplexed stream; reads on only when the next one is asked for. */
export async function* demux(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, typeof chunk === 'string' ? Buffer.from(chunk) : chunk]);
    for (let end = frameEnd(rest); end !== null && end <= rest.length; end = frameEnd(rest)) {
      yield { stream: rest[0] === 2 ? 'stderr' : 'stdout', bytes: rest.subarray(headerBytes, end) };
      rest = rest.subarray(end);
    }
  }
}

function frameEnd(bytes: Buffer): number | null {
  return bytes.length < headerBytes ? null : headerBytes + bytes.readUInt32BE(4);
}
