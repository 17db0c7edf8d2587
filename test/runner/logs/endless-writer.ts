// Writes numbered lines to the log in the folder of its argument, from where the log says, until it is killed.
import { chunk, openWriter } from './support.ts';

const { writer } = await openWriter(process.argv[2] ?? '');
for (let n = Number(writer.position ?? 0); ; n += 1) await writer.append(chunk(n, `line ${n}\n`));
