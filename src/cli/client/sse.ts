export interface ServerEvent {
  id: string | null;
  type: string;
  data: string;
}

/**
 * Reads `text/event-stream` lines into events, as the HTML standard says: comments are dropped, an event without its
 * closing blank line is not one.
 */
export async function* serverEvents(lines: AsyncIterable<string>): AsyncGenerator<ServerEvent> {
  let id: string | null = null;
  let type = 'message';
  let data: string[] = [];
  for await (const line of lines) {
    if (line === '') {
      if (data.length > 0) yield { id, type, data: data.join('\n') };
      type = 'message';
      data = [];
      continue;
    }
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'id' && !value.includes('\0')) id = value;
    if (field === 'event') type = value;
    if (field === 'data') data.push(value);
  }
}
