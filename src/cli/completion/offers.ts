import { taskVerbs } from '../../protocol/task-state.ts';
import { priorityClasses } from '../../protocol/task-spec.ts';
import type { Cli } from '../cli.ts';
import { connect } from '../client/connect.ts';
import { readContexts } from '../client/contexts.ts';
import type { Line } from './line.ts';

export interface Offer {
  value: string;
  description: string;
}

/** `:files`, `:folders`: the shell knows those itself. */
const files: Offer[] = [{ value: ':files', description: '' }];
const folders: Offer[] = [{ value: ':folders', description: '' }];

/** What may stand there. @throws whatever the Host or the connection says */
export async function offersFor(cli: Cli, line: Line): Promise<readonly Offer[]> {
  const { asked, command } = line;
  switch (asked.kind) {
    case 'foreign':
      return files;
    case 'option':
      return optionsOf(line);
    case 'value': {
      const { argChoices, flags, long } = asked.option;
      if (argChoices) return plain(argChoices);
      const [, name = ''] = /[<[]([^>\]]*)[>\]]/.exec(flags) ?? [];
      return named(cli, line, `${long ?? ''} ${name}`);
    }
    case 'operand': {
      const below = command.createHelp().visibleCommands(command);
      if (command.commands.length > 0) return below.map((one) => ({ value: one.name(), description: one.summary() }));
      const operands = command.registeredArguments;
      const last = operands.at(-1);
      const operand = operands[asked.at] ?? (last?.variadic ? last : undefined);
      if (!operand) return optionsOf(line);
      return operand.argChoices ? plain(operand.argChoices) : named(cli, line, operand.name());
    }
  }
}

const plain = (values: readonly string[]): Offer[] => values.map((value) => ({ value, description: '' }));

function optionsOf({ command }: Line): Offer[] {
  const options = command.createHelp().visibleOptions(command);
  return options.flatMap(({ long, description }) => (long ? [{ value: long, description }] : []));
}

/** By what the value or the operand is called. */
async function named(cli: Cli, line: Line, name: string): Promise<readonly Offer[]> {
  if (/\bfile\b/.test(name)) return files;
  if (/\bdir\b/.test(name)) return folders;
  if (/^--context\b/.test(name) || line.path[0] === 'context') return contexts(cli);
  if (/^--owner\b/.test(name)) return line.path[1] === 'list' ? plain(['me']) : [];
  if (/^(node|--node node|--target place)$/.test(name)) return nodes(cli, line);
  if (name === 'task-and-class') return [...(await tasks(cli, line)), ...plain(Object.keys(priorityClasses))];
  return /^(task|--array task)$/.test(name) ? tasks(cli, line) : [];
}

async function contexts(cli: Cli): Promise<Offer[]> {
  const all = await readContexts(cli.folders);
  return all.contexts.map(({ name, url }) => ({ value: name, description: url }));
}

/** Only what a person could have given it as a name: what comes from afar ends in a command line. */
const word = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
type Fields = Readonly<Record<string, unknown>>;
const text = (value: unknown): string => (typeof value === 'string' && word.test(value) ? value : '');

async function nodes(cli: Cli, line: Line): Promise<Offer[]> {
  const items = await listOf(cli, line, { path: '/nodes' });
  return items.flatMap(({ id, name, state }) =>
    text(name) === '' ? [] : [{ value: text(name), description: `${text(id)} ${text(state)}` }],
  );
}

/** Ids, and the names that only one has; of a verb, those of the tasks that it can be done to. */
async function tasks(cli: Cli, line: Line): Promise<Offer[]> {
  const items = await listOf(cli, line, {
    path: '/tasks',
    query: { state: statesFor(line.path[1] ?? ''), limit: 200 },
  });
  const names = items.map(({ name }) => text(name));
  return items.flatMap(({ id, name, state }): Offer[] => {
    const [own, called] = [text(id), text(name)];
    if (own === '') return [];
    const unique = called !== own && called !== '' && names.filter((one) => one === called).length === 1;
    const offer = {
      value: own,
      description: `${called === own ? '' : `${called} `}${text(state)}`,
    };
    return unique ? [offer, { value: called, description: `${own} ${text(state)}` }] : [offer];
  });
}

function statesFor(command: string): string | undefined {
  const verb = command === 'priority' ? 'prioritise' : command;
  const states = Object.entries(taskVerbs).find(([name]) => name === verb)?.[1];
  return states?.join(',');
}

/** How long a person waits for the Tab key, ms. */
const patienceMs = 1000;

async function listOf(
  cli: Cli,
  { given }: Line,
  request: { path: string; query?: Readonly<Record<string, string | number | undefined>> },
): Promise<Fields[]> {
  const flags = {
    url: given['--url'],
    tokenFile: given['--token-file'],
    pin: given['--pin'],
    data: given['--data'],
    context: given['--context'],
  };
  const over = new AbortController();
  const signal = AbortSignal.any([cli.signal, over.signal]);
  const timer = cli.clock.sleep(patienceMs, signal);
  timer.then(
    () => over.abort(new Error('too late')),
    () => undefined,
  );
  try {
    const api = await connect(cli, flags);
    const answer = await api.json(request, signal);
    const items = (answer as { items?: unknown } | null)?.items;
    return Array.isArray(items) ? (items as Fields[]) : [];
  } finally {
    over.abort();
  }
}
