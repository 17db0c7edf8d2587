import { describe, expect, it } from 'vitest';
import { findCircles, findForbidden, importGraph, readSources } from './import-graph.ts';

const graphOf = (files: Record<string, string>) => importGraph(new Map(Object.entries(files)));

describe('the source tree', () => {
  const graph = importGraph(readSources('src'));

  it('has no circle of files, not even of types', () => {
    expect(findCircles(graph)).toEqual([]);
  });

  it('imports downward only, and packages only where the table of floors says so', () => {
    expect(findForbidden(graph)).toEqual([]);
  });
});

describe('the search for circles', () => {
  it.each([
    ['values', `import { b } from './b.ts';`],
    ['types', `import type { B } from './b.ts';`],
    ['an inline type', `export const a: import('./b.ts').B = 1;`],
    ['a dynamic import', `export const a = () => import('./b.ts');`],
    ['a re-export', `export { b } from './b.ts';`],
  ])('finds one closed by %s', (_, text) => {
    const graph = graphOf({
      'src/lib/a.ts': text,
      'src/lib/b.ts': `import { c } from './c.ts';`,
      'src/lib/c.ts': `import './a.ts';`,
    });
    expect(findCircles(graph)).toEqual(['src/lib/a.ts → src/lib/b.ts → src/lib/c.ts → src/lib/a.ts']);
  });

  it('takes a diamond for what it is', () => {
    const graph = graphOf({
      'src/lib/a.ts': `import './b.ts'; import './c.ts';`,
      'src/lib/b.ts': `import './d.ts';`,
      'src/lib/c.ts': `import './d.ts';`,
      'src/lib/d.ts': '',
    });
    expect(findCircles(graph)).toEqual([]);
  });
});

describe('the search for forbidden imports', () => {
  it.each([
    ['a domain looks up to sync', 'src/host/tasks/a.ts', '../nodes/b.ts'],
    ['a domain looks at its neighbour', 'src/host/tasks/a.ts', '../images/b.ts'],
    ['the Host looks at the Runner', 'src/host/app.ts', '../runner/a.ts'],
    ['the Host outside platform uses Node', 'src/host/app.ts', 'node:fs'],
    ['the protocol uses words of Node', 'src/protocol/a.ts', '../lib/node/a.ts'],
    ['dockerode stands outside its adapter', 'src/runner/sync/a.ts', 'dockerode'],
    ['the CLI looks into the Runner', 'src/cli/a.ts', '../runner/a.ts'],
    ['the CLI takes what needs Linux', 'src/cli/a.ts', '../lib/node/folder-lock.ts'],
    ['what the CLI takes takes what needs Linux', 'src/lib/node/a.ts', './run-tool.ts'],
    ['a file is in no room', 'src/utils.ts', './lib/a.ts'],
    ['a folder of the Host is in no room', 'src/host/services/a.ts', '../../lib/a.ts'],
  ])('refuses when %s', (_, file, specifier) => {
    expect(findForbidden(graphOf({ [file]: `import { x } from '${specifier}';` }))).toHaveLength(1);
  });

  it.each([
    ['src/host/tasks/kill.ts', '../store/schema.ts'],
    ['src/host/tasks/kill.ts', './queries.ts'],
    ['src/host/platform/node/serve.ts', '../../app.ts'],
    ['src/runner/backend/docker/create.ts', 'dockerode'],
    ['src/main/up.ts', '../runner/runner.ts'],
    ['src/cli/up.ts', '../main/up.ts'],
  ])('lets %s import %s', (file, specifier) => {
    expect(findForbidden(graphOf({ [file]: `import { x } from '${specifier}';` }))).toEqual([]);
  });
});
