/** Cuts a byte stream into lines of JSON, across the borders of its chunks. Lines that are no JSON are left out. */
export async function* jsonLines(
  chunks: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<{ value: unknown; text: string }> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    yield* lines.flatMap(parseLine);
  }
  yield* parseLine(rest);
}

function parseLine(line: string): { value: unknown; text: string }[] {
  const text = line.trim();
  if (text === '') return [];
  try {
    return [{ value: JSON.parse(text), text }];
  } catch {
    return [];
  }
}
