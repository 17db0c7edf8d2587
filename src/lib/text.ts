/**
 * Makes text of unknown origin safe for a terminal and a log line: control characters but tab and line feed
 * become `\xNN`, so that no escape sequence gets through.
 */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are the subject
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (letter) => {
    return `\\x${letter.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

/** Cuts text to a number of characters and says that it did. */
export function shorten(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
