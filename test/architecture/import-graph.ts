import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';
import { mayImport, packageOf, roomOf } from '../../scripts/floors.mjs';

/** Files (path from the root) and their text. */
export type Sources = ReadonlyMap<string, string>;
/** Files and the specifiers that they import: as values, as types, dynamically, or by `import('x').T`. */
export type Graph = ReadonlyMap<string, readonly string[]>;

const builtin = /^(node:|#)/;

export function readSources(folder: string): Sources {
  if (!existsSync(folder)) return new Map();
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => posix.join(folder, file));
  return new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));
}

/** Relative specifiers become paths from the root; others stay as they are. */
export function importGraph(sources: Sources): Graph {
  return new Map([...sources].map(([file, text]) => [file, importsOf(file, text)]));
}

function importsOf(file: string, text: string): string[] {
  const specifiers = ts.preProcessFile(text, true, true).importedFiles.map((found) => found.fileName);
  return specifiers.map((specifier) =>
    specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : specifier,
  );
}

/** Circles of files, each as the path that closes it. */
export function findCircles(graph: Graph): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start !== -1) circles.push([...path.slice(start), file].join(' → '));
    if (start !== -1 || done.has(file)) return;
    for (const next of graph.get(file) ?? []) walk(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) walk(file, []);
  return circles;
}

/** Imports that the table of floors does not allow: arrows back up, closed rooms, foreign packages. */
export function findForbidden(graph: Graph): string[] {
  return [...graph].flatMap(([file, imports]) =>
    imports.filter((target) => !isAllowed(file, target)).map((target) => `${file} → ${target}`),
  );
}

function isAllowed(file: string, target: string): boolean {
  const room = roomOf(file);
  if (room === undefined) return false;
  if (builtin.test(target)) return room.node || target.startsWith('#');
  if (target.startsWith('src/')) {
    const other = roomOf(target);
    return other !== undefined && mayImport(room, other);
  }
  return [...room.packages, ...room.types].includes(packageOf(target));
}
