import type { Output } from '../cli.ts';

/** Where something is shown again and again: over itself on a terminal, block behind block elsewhere. */
export interface Screen {
  show(text: string): void;
  /** Puts the terminal back as it was. */
  leave(): void;
}

export function createScreen(stream: Pick<Output, 'write' | 'isTTY' | 'rows'>): Screen {
  return stream.isTTY ? redrawing(stream) : blocks(stream);
}

/** Lines are not wrapped meanwhile, so that a line of text is a line of the screen. */
const noWrap = '\u001b[?7l';
const wrap = '\u001b[?7h';
const home = '\u001b[H';
const clearLine = '\u001b[K';
const clearBelow = '\u001b[J';
const clearAll = '\u001b[2J';

function redrawing(stream: Pick<Output, 'write' | 'rows'>): Screen {
  let begun = false;
  return {
    show(text) {
      const most = Math.max(2, (stream.rows ?? 24) - 1);
      const lines = text.trimEnd().split('\n');
      const hidden = lines.length - most;
      const shown = hidden > 0 ? [...lines.slice(0, most - 1), `… ${hidden + 1} more`] : lines;
      const body = shown.map((line) => `${line}${clearLine}\n`).join('');
      stream.write(`${begun ? '' : noWrap + clearAll}${home}${body}${clearBelow}`);
      begun = true;
    },
    leave() {
      if (begun) stream.write(wrap);
    },
  };
}

function blocks(stream: Pick<Output, 'write'>): Screen {
  let begun = false;
  return {
    show(text) {
      stream.write(`${begun && text.includes('\n', text.indexOf('\n') + 1) ? '\n' : ''}${text}`);
      begun = true;
    },
    leave: () => undefined,
  };
}
