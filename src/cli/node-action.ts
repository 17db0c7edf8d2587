import { nodeViewSchema } from '../protocol/node-view.ts';
import type { Cli } from './cli.ts';
import type { ApiRequest } from './client/api.ts';
import { connect } from './client/connect.ts';
import type { ConnectionFlags } from './client/connection.ts';
import { read } from './client/read.ts';
import { each } from './each.ts';
import { nodeTable } from './output/node-text.ts';
import { type Format, print } from './output/print.ts';
import { lookOf } from './output/style.ts';

interface NodeAction {
  nodes: readonly string[];
  flags: ConnectionFlags & { output: Format };
  request(node: string): ApiRequest;
}

/** Does the same to each node and shows the nodes as they are then. */
export async function actOnNodes(cli: Cli, { nodes, flags, request }: NodeAction): Promise<void> {
  const api = await connect(cli, flags);
  const answers = await each(cli, nodes, (node) => api.json(request(node), cli.signal));
  if (answers.length === 0) return;
  const views = () => answers.map((answer) => read(nodeViewSchema, answer));
  await print(cli, flags.output, {
    value: nodes.length === 1 ? answers[0] : answers,
    table: () => nodeTable(views(), lookOf(cli)),
    name: () => views().map((view) => view.id),
  });
}
