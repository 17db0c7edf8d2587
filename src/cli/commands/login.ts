import { text } from 'node:stream/consumers';
import { Option } from '@commander-js/extra-typings';
import { printable } from '../../lib/text.ts';
import type { Cli } from '../cli.ts';
import { usageError } from '../cli-error.ts';
import { createApi } from '../client/api.ts';
import { canonicalUrl, isLoopback } from '../client/canonical-url.ts';
import { readContexts, withContext, writeContexts } from '../client/contexts.ts';
import { readTokenFile, tokenOf } from '../client/token.ts';
import { examples, newCommand } from '../command.ts';
import { askHidden } from '../hidden-prompt.ts';

export function login(cli: Cli) {
  const command = newCommand(cli, 'login')
    .description(
      'Save a Host and a token as a context, and use it from now on. The token comes from a file, from stdin, or is asked for; it is checked before it is saved.',
    )
    .requiredOption('--url <url>', 'address of the Host', canonicalUrl)
    .option('--token-file <file>', 'file with the token')
    .option('--pin <hash>', "hash of the Host's TLS key, as its endpoint.json has it")
    .option('--name <name>', "name of the context; the Host's address unless said")
    .addOption(new Option('--insecure-http', 'send the token without TLS to another machine'))
    .action(async ({ url, tokenFile, pin = null, name = new URL(url).host, insecureHttp }) => {
      if (url.startsWith('http:') && !isLoopback(url) && !insecureHttp) {
        throw usageError(
          `${url} has no TLS: everybody on the way would read the token`,
          'use https, or add --insecure-http',
        );
      }
      const token = tokenFile === undefined ? await readToken(cli, url) : await readTokenFile(tokenFile);
      const connection = { url, token, pin, source: '--url' };
      const api = createApi({ connection, fetch: cli.createFetch(pin), clock: cli.clock });
      const who = await api.json({ path: '/whoami' }, cli.signal);
      const all = await readContexts(cli.folders);
      await writeContexts(cli.folders, withContext(all, { name, url, token, pin }));
      cli.stderr.write(
        `Logged in to ${url} as ${printable(subjectOf(who))}; the context "${printable(name)}" is used from now on.\n`,
      );
    });
  examples(command, [
    'weir login --url https://weir.example:8000 --pin V3xk…',
    'weir login --url https://weir.example:8000 --token-file token --name lab',
    'pass weir/token | weir login --url https://weir.example:8000',
  ]);
  return command;
}

async function readToken(cli: Cli, url: string): Promise<string> {
  if (cli.stdin.isTTY) return tokenOf(await askHidden(cli, `Token for ${url}: `), 'the answer');
  return tokenOf(await text(cli.stdin), 'stdin');
}

function subjectOf(who: unknown): string {
  if (typeof who !== 'object' || who === null) return 'somebody';
  const { subject, name } = who as Record<string, unknown>;
  return [subject, name].find((one): one is string => typeof one === 'string') ?? 'somebody';
}
