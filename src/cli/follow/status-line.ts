import { printable, shorten } from '../../lib/text.ts';
import type { Output } from '../cli.ts';

/** What is going on, on stderr: one line that changes on a terminal, a line for each change elsewhere. */
export interface StatusLine {
  /** `key` says what makes it another line where lines stay; a change of the text alone is for terminals. */
  show(text: string, key?: string): void;
  /** Takes the changing line off, before something else is written. */
  clear(): void;
}

export function createStatusLine(stream: Pick<Output, 'write' | 'isTTY' | 'columns'>): StatusLine {
  return stream.isTTY ? changing(stream) : staying(stream);
}

const plain = (text: string): string => printable(text).replace(/[\n\t]+/g, ' ');

function changing(stream: Pick<Output, 'write' | 'columns'>): StatusLine {
  let shown = '';
  return {
    show(text) {
      const line = shorten(plain(text), Math.max(20, (stream.columns ?? 80) - 1));
      if (line === shown) return;
      shown = line;
      stream.write(`\r\u001b[2K${line}`);
    },
    clear() {
      if (shown !== '') stream.write('\r\u001b[2K');
      shown = '';
    },
  };
}

function staying(stream: Pick<Output, 'write'>): StatusLine {
  let last = '';
  return {
    show(text, key = text) {
      if (key === last) return;
      last = key;
      stream.write(`${plain(text)}\n`);
    },
    clear: () => undefined,
  };
}
