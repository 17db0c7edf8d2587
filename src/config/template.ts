import type { Group, ServerProcess, Setting } from './setting.ts';
import { initialOf, settings, variableOf } from './settings.ts';

const width = 98;

/** A file for a process with every key, its default and what it does; the keys are commented out. */
export function configTemplate(process: ServerProcess): string {
  const head = [
    ...comment(`Configuration of \`weir ${process}\`: JSON, with comments and commas at the end.`, ''),
    ...comment(
      'A key that is commented out has the value that it shows. A variable wins over this file, a flag over both.',
      '',
    ),
  ];
  return `${[...head, '{', ...linesOf(settings, { process, path: '', indent: '  ' }), '}'].join('\n')}\n`;
}

interface Place {
  process: ServerProcess;
  path: string;
  indent: string;
}

function linesOf(group: Group, { process, path, indent }: Place): string[] {
  return Object.entries(group.keys).flatMap(([key, one]) => {
    const at = path === '' ? key : `${path}.${key}`;
    if (one.kind === 'setting')
      return one.usedBy.includes(process) ? settingLines(one, { process, path: at, indent }) : [];
    const inside = linesOf(one, { process, path: at, indent: `${indent}  ` });
    if (inside.length === 0) return [];
    return [...comment(one.about, indent), `${indent}${JSON.stringify(key)}: {`, ...inside, `${indent}},`];
  });
}

function settingLines(setting: Setting, { process, path, indent }: Place): string[] {
  const key = JSON.stringify(path.split('.').at(-1));
  const example = setting.example === undefined ? '' : ` For example ${JSON.stringify(setting.example)}.`;
  const from = [variableOf(path), setting.flags?.[process]].filter(Boolean).join(', ');
  return [
    ...comment(`${sentence(setting.about)}.${example} ${from}`, indent),
    `${indent}// ${key}: ${JSON.stringify(initialOf(setting, process))},`,
  ];
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && indent.length + 3 + longer.length > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].map((one) => `${indent}// ${one}`);
}
