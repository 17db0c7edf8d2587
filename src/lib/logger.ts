/** One structured line: fields first, then the sentence (the shape of pino). */
export type LogMethod = (fields: Readonly<Record<string, unknown>>, message: string) => void;

export interface Logger {
  debug: LogMethod;
  info: LogMethod;
  warn: LogMethod;
  error: LogMethod;
  child(fields: Readonly<Record<string, unknown>>): Logger;
}

const nothing: LogMethod = () => undefined;

/** A logger that says nothing, for tests and the simulation. */
export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLogger,
};
