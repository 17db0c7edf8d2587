import * as v from 'valibot';
import { imageReference } from '../protocol/task-spec.ts';
import { group, setting } from './setting.ts';
import { countBetween, databaseUrl, durationBetween, hostName, hostUrl, list, listenAddress, path } from './values.ts';

const usedBy = ['up', 'host'] as const;
const years = { ms: 3650 * 86_400_000, text: '3650d' };
const anHour = { ms: 3_600_000, text: '1h' };

const tls = group(
  'TLS with a certificate of your own. Without one the Host makes a key beyond loopback and its Runners and clients pin it.',
  {
    cert: setting({
      schema: v.nullable(path),
      initial: null,
      example: '/etc/weir/tls/fullchain.pem',
      form: 'text',
      about:
        'PEM file with the certificate, followed by those of its issuers. Read anew when it changes and at SIGHUP; the key must stay the same one then, for Runners and clients have pinned it (certbot: `--reuse-key`)',
      usedBy,
    }),
    key: setting({
      schema: v.nullable(path),
      initial: null,
      example: '/etc/weir/tls/privkey.pem',
      form: 'text',
      about: 'PEM file with the private key of `host.tls.cert`, 0600',
      usedBy,
    }),
  },
);

const database = group('Where the state is kept.', {
  url: setting({
    schema: v.nullable(databaseUrl),
    initial: null,
    example: 'libsql://weir.db.example',
    form: 'text',
    about: 'a libSQL server, or a file by path; `DIR/host/weir.db` unless said',
    usedBy,
    quiet: true,
  }),
  tokenFile: setting({
    schema: v.nullable(path),
    initial: null,
    example: '/etc/weir/database.token',
    form: 'text',
    about: 'file with the token for the server in `host.database.url`, 0600',
    usedBy,
  }),
});

const sync = group('Times between Host and Runners.', {
  hold: setting({
    schema: durationBetween(100, anHour),
    initial: '20s',
    form: 'text',
    about: "how long a Runner's call is held while there is nothing new (a duration)",
    usedBy,
  }),
  suspect: setting({
    schema: durationBetween(100, years),
    initial: '30s',
    form: 'text',
    about: 'silence after which a node gets no new work (a duration, longer than `host.sync.hold`)',
    usedBy,
  }),
  unreachable: setting({
    schema: durationBetween(100, years),
    initial: '90s',
    form: 'text',
    about:
      'silence after which a node is shown as unreachable (a duration, longer than `host.sync.suspect`); its work goes on',
    usedBy,
  }),
  grace: setting({
    schema: durationBetween(0, years),
    initial: '1m',
    form: 'text',
    about: 'how long no node is judged after the Host started or stalled (a duration)',
    usedBy,
  }),
  orphanGrace: setting({
    schema: durationBetween(0, years),
    initial: '10m',
    form: 'text',
    about: 'how long a Runner keeps a workload of ours that the Host does not know (a duration)',
    usedBy,
  }),
});

const retention = group('How long the Host remembers.', {
  events: setting({
    schema: durationBetween(60_000, years),
    initial: '7d',
    form: 'text',
    about: 'age at which an event is forgotten (a duration)',
    usedBy,
  }),
  eventRows: setting({
    schema: countBetween(1000, 1_000_000_000),
    initial: 1_000_000,
    form: 'number',
    about: 'most events that are kept, whatever their age (a number)',
    usedBy,
  }),
  idempotencyKeys: setting({
    schema: durationBetween(60_000, years),
    initial: '24h',
    form: 'text',
    about: 'how long a request with the same `Idempotency-Key` gets the same answer (a duration)',
    usedBy,
  }),
});

export const hostSettings = group('The Host.', {
  listen: setting({
    schema: listenAddress,
    initial: '127.0.0.1:8000',
    form: 'text',
    about: 'where the Host listens, ADDRESS:PORT; port 0 picks a free one. Beyond loopback it speaks TLS',
    flags: { up: '--listen', host: '--listen' },
    usedBy,
  }),
  names: setting({
    schema: list(hostName, 100),
    initial: [],
    example: ['weir.example'],
    form: 'list',
    about:
      'names by which clients call the Host, besides its addresses and its own name: requests under another name are refused',
    flags: { up: '--host-name', host: '--host-name' },
    usedBy,
  }),
  publicUrl: setting({
    schema: v.nullable(hostUrl),
    initial: null,
    example: 'https://weir.example:8000',
    form: 'text',
    about: 'the address that people use; its name is one of `host.names` by that',
    usedBy,
    quiet: true,
  }),
  tls,
  database,
  sync,
  retention,
});

export const taskSettings = group('Tasks.', {
  defaultImage: setting({
    schema: v.nullable(imageReference),
    initial: null,
    example: 'debian:12',
    form: 'text',
    about: 'image of tasks that name none; without one they are refused',
    usedBy,
  }),
  requeueLease: setting({
    schema: durationBetween(120_000, years),
    initial: '1h',
    form: 'text',
    about:
      'how long a task with `onNodeLoss: requeue` waits for a silent node before it runs elsewhere (a duration); shown when it is submitted',
    usedBy,
  }),
  defaultTimeLimit: setting({
    schema: durationBetween(1000, years),
    initial: '24h',
    form: 'text',
    about: 'what the planner reckons with for a task without a time limit (a duration); it stops nothing',
    usedBy,
  }),
  maxBatch: setting({
    schema: countBetween(1, 1000),
    initial: 1000,
    form: 'number',
    about: 'most tasks in one submission (a number, at most 1000)',
    usedBy,
  }),
});
