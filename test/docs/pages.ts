import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Commands of a page, and what they print when the page says so. */
export interface Block {
  /** In the page, of its first command. */
  line: number;
  script: string;
  expected: string | null;
}

export interface Page {
  name: string;
  text: string;
}

/** README.md and all of `docs/`, without what is generated. */
export function readPages(): Page[] {
  const inDocs = ['docs', 'docs/recipes'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((file) => file.endsWith('.md'))
      .sort()
      .map((file) => `${folder}/${file}`),
  );
  const names = ['README.md', ...inDocs];
  return names.map((name) => ({ name, text: readFileSync(join(root, name), 'utf8') }));
}

/** Blocks marked `sh`, each with the `text` block that is the next one behind it. */
export function blocksOf(text: string): Block[] {
  const fences = [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)];
  return fences.flatMap((fence, at) => {
    if (fence[1] !== 'sh') return [];
    const next = fences[at + 1];
    return [
      {
        line: text.slice(0, fence.index).split('\n').length + 1,
        script: fence[2] ?? '',
        expected: next?.[1] === 'text' ? (next[2] ?? '') : null,
      },
    ];
  });
}

/** Whether the output is what the page shows: `…` stands for anything, and columns may be wider. */
export function matches(expected: string, output: string): boolean {
  const parts = tidy(expected)
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[\\s\\S]*')}$`).test(tidy(output));
}

function tidy(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(/[ \t]+/g, ' ').trim())
    .join('\n')
    .trim();
}

/** Links of a page to files that are not there. */
export function brokenLinks({ name, text }: Page): string[] {
  const links = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target]) => target ?? '');
  return links
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => !existsSync(join(root, dirname(name), target)));
}

/** Names of source files in backticks that no file of `src/` ends with. */
export function unknownFiles(text: string): string[] {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map((file) => `/${file}`);
  const names = [...text.matchAll(/`([\w./-]+\.ts)`/g)].map(([, name]) => name ?? '');
  return names.filter((name) => !files.some((file) => file.endsWith(`/${name}`)));
}
