import { Option } from '@commander-js/extra-typings';
import { collect, listenAddress } from './arguments.ts';

const logLevels = ['debug', 'info', 'warn', 'error'] as const;

export const dataOption = (folder: string) =>
  new Option('--data <dir>', 'folder for all that it keeps').default(folder);

export const listenOption = (port: number) =>
  new Option('--listen <address:port>', 'where it listens; port 0 picks a free one')
    .argParser(listenAddress)
    .default({ address: '127.0.0.1', port }, `127.0.0.1:${port}`);

export const hostNameOption = () =>
  new Option(
    '--host-name <name>',
    'a name by which clients call it, besides its address (repeat)',
  ).argParser(collect);

export const insecureHttpOption = () =>
  new Option(
    '--insecure-http',
    'no TLS beyond this machine either: everybody on the way reads tokens and work',
  );

export const logLevelOption = () =>
  new Option('--log-level <level>', 'the least that is logged')
    .choices(logLevels)
    .default('info' as const);
