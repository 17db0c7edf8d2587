import { describe, expect, it } from 'vitest';
import { namedSettings, variableOf } from '../../src/config/settings.ts';
import { faultsOf, fileWith, resolved } from './sources.ts';

/** Values that each key refuses, and where in it the fault is when that is deeper. */
const wrong: Readonly<Record<string, readonly (readonly [value: unknown, inner?: string])[]>> = {
  'host.listen': [['8000:x'], [8000], ['0.0.0.0:70000'], ['::1:80'], ['0.0.0.0:'], [null]],
  'host.names': [['weir.example'], [['https://weir.example'], '0'], [['a', 'b:1'], '1']],
  'host.publicUrl': [['weir.example'], ['ftp://weir.example'], ['https://weir.example/?x=1']],
  'host.tls.cert': [['cert.pem'], [1]],
  'host.tls.key': [['./key.pem']],
  'host.database.url': [['mysql://db'], ['libsql://db?authToken=t'], ['weir.db']],
  'host.database.tokenFile': [['token']],
  'host.sync.hold': [['soon'], [-1], ['2h'], ['10ms']],
  'host.sync.suspect': [[true]],
  'host.sync.unreachable': [['1 fortnight']],
  'host.sync.grace': [[0.5]],
  'host.sync.orphanGrace': [['']],
  'host.retention.events': [['1s']],
  'host.retention.eventRows': [[10], ['1000'], [1e12]],
  'host.retention.idempotencyKeys': [[{}]],
  'tasks.defaultTimeLimit': [['0s']],
  'tasks.defaultImage': [['docker://x'], ['UPPER CASE'], [1]],
  'tasks.requeueLease': [['1m'], ['never']],
  'tasks.maxBatch': [[0], [1001], [1.5]],
  'runner.host': [['//weir'], ['https://ann:secret@weir.example']],
  'runner.joinFile': [['join.token']],
  'runner.name': [['-'], ['a b']],
  'runner.labels': [[['a']], [{ 'weir.x': '1' }, 'weir.x'], [{ a: 1 }, 'a']],
  'runner.listen': [['here']],
  'runner.advertise': [['10.0.0.7:0'], ['10.0.0.7']],
  'runner.subnet': [['10.88.0.1/16'], ['10.88.0.0'], ['10.88.0.0/30'], ['fd00::/64']],
  'runner.registries': [[['10.0.0.1:5000'], '0'], [['https://docker.io'], '0'], [['hub'], '0'], ['docker.io']],
  'runner.registryCredentials': [['auths.json']],
  'runner.localImagePrefixes': [
    [[''], '0'],
    [['Weir/'], '0'],
  ],
  'runner.sharedDir': [['/'], ['/etc/shared'], ['/var/lib/docker'], ['/var/lib'], ['/srv/../proc'], ['shared']],
  'runner.scratchDir': [['/run/scratch'], ['/dev']],
  'runner.mounts': [
    [{}],
    [[{ name: 'a' }], '0.path'],
    [
      [
        { name: 'a', path: '/srv/a' },
        { name: 'b', path: '/sys' },
      ],
      '1.path',
    ],
    [[{ name: 'a', path: '/srv/a', readonly: true }], '0.readonly'],
    [
      [
        { name: 'a', path: '/srv/a' },
        { name: 'a', path: '/srv/b' },
      ],
    ],
  ],
  'runner.allow.privileged': [['yes'], [1]],
  'runner.allow.hostNetwork': [['false']],
  'runner.allow.devices': [
    [['/etc/passwd'], '0'],
    [['/dev/../etc'], '0'],
  ],
  'runner.allow.capabilities': [[['sys ptrace'], '0']],
  'runner.allow.unisolated': [[null]],
  'runner.docker.socket': [['tcp://x:2375']],
  'runner.logs.capBytes': [['1KiB'], ['much']],
  'runner.logs.keepFor': [['1s']],
  'runner.logs.keepBytes': [[1]],
  'log.level': [['loud'], ['INFO']],
  'log.file': [['weir.log']],
  'log.format': [['xml']],
};

describe('a wrong value', () => {
  it('is known for every key', () => {
    expect(Object.keys(wrong).toSorted()).toEqual(namedSettings.map(({ path }) => path).toSorted());
  });

  const cases = Object.entries(wrong).flatMap(([path, values]) =>
    values.map(([value, inner]) => ({ path, value, inner })),
  );
  it.each(cases)(
    '$path is refused as $value, with its path, its place and what would mend it',
    ({ path, value, inner }) => {
      const faults = faultsOf({ text: fileWith(path, value) });
      expect(faults.map((fault) => fault.path)).toEqual([inner === undefined ? path : `${path}.${inner}`]);
      expect(faults[0]?.source).toMatch(/^f:1:\d+$/);
      expect(faults[0]?.fix).toMatch(/for example/);
    },
  );

  it('is shown, unless it may hold a secret of another place', () => {
    expect(faultsOf({ text: fileWith('log.level', 'loud') })[0]?.message).toContain('"loud"');
    for (const path of ['runner.host', 'host.publicUrl', 'host.database.url']) {
      const [fault] = faultsOf({
        text: fileWith(path, 'https://ann:canary@db.example/?authToken=canary'),
      });
      expect(fault?.path).toBe(path);
      expect(JSON.stringify(fault)).not.toContain('canary');
    }
  });

  it('of a variable names the variable', () => {
    for (const [path, text] of [
      ['host.retention.eventRows', 'many'],
      ['runner.allow.privileged', 'yes'],
      ['runner.labels', 'rack'],
      ['runner.mounts', '[{"name":'],
      ['runner.registries', 'docker.io,10.0.0.1:5000'],
    ] as const) {
      const [fault, ...others] = faultsOf({ env: { [variableOf(path)]: text } });
      expect(others).toEqual([]);
      expect(fault?.source).toBe(variableOf(path));
      expect(fault?.fix).toContain(`${variableOf(path)}=`);
    }
  });

  it('of a flag names the flag', () => {
    const [fault] = faultsOf({ flags: { 'host.listen': { flag: '--listen', value: 'x' } } });
    expect(fault).toEqual({
      path: 'host.listen',
      message: 'must be ADDRESS:PORT such as "0.0.0.0:8000" or "[::]:8000", not "x"',
      source: '--listen',
      fix: 'for example --listen 127.0.0.1:8000',
    });
  });

  it('does not hide another one: all faults of all sources are told at once', () => {
    const faults = faultsOf({
      text: '{"host": {"sync": {"hold": "x"}, "nmes": []}, "log": {"level": 1}}',
      env: { WEIR_LOG_FORMAT: 'xml' },
      flags: { 'host.listen': { flag: '--listen', value: '' } },
    });
    expect(faults.map(({ path }) => path).toSorted()).toEqual([
      'host.listen',
      'host.nmes',
      'host.sync.hold',
      'log.format',
      'log.level',
    ]);
  });
});

describe('an unknown key', () => {
  it.each([
    ['{"hots": {}}', 'hots', 'f:1:2', 'did you mean host?'],
    ['{"host": {\n  "sync": {\n    "Hold": "5s"}}}', 'host.sync.Hold', 'f:3:5', 'did you mean host.sync.hold?'],
    ['{"host": {"publicURL": "https://x"}}', 'host.publicURL', 'f:1:11', 'did you mean host.publicUrl?'],
    ['{"zzzzzz": 1}', 'zzzzzz', 'f:1:2', 'known here: host, tasks, runner, log'],
    ['{"__proto__": {"log": {}}}', '__proto__', 'f:1:2', 'known here: host, tasks, runner, log'],
    ['{"log": {"constructor": 1}}', 'log.constructor', 'f:1:10', 'known here: level, file, format'],
  ])('in %s is refused with its place, and the one that was meant', (text, ...told) => {
    const [path, source, fix] = told;
    expect(faultsOf({ text })).toEqual([{ path, message: 'is not a key', source, fix }]);
  });

  it('among the variables is refused as well, those of others are not', () => {
    expect(faultsOf({ env: { WEIR_LOG_LEVL: 'info' } })).toEqual([
      {
        path: 'WEIR_LOG_LEVL',
        message: 'is not a variable of the configuration',
        source: 'WEIR_LOG_LEVL',
        fix: 'did you mean WEIR_LOG_LEVEL?',
      },
    ]);
    expect(
      faultsOf({
        env: {
          WEIR_TOKEN: 't',
          WEIR_URL: 'u',
          WEIR_JOIN_TOKEN: 'j',
          WEIR_TASK_ID: 't1',
          WEIR_NODE: 'n',
          WEIR_LOG_LEVL: '',
          PATH: '/',
        },
      }),
    ).toEqual([]);
  });
});

describe('the file', () => {
  it('may have comments, commas at the end and a byte order mark', () => {
    const text = '\uFEFF// a\n{\n  /* b */ "log": { "level": "warn", }, // c\n}\n';
    expect(resolved({ text }).config.log.level).toBe('warn');
  });

  it.each([
    ['', 'f:1:1', 'a value is expected'],
    ['{"log": {"level": "info"}', 'f:1:26', 'a closing brace is missing'],
    ['{"log": nothing}', 'f:1:9', 'an unknown word'],
    ['{\n  "log": {} "host": {}\n}', 'f:2:13', 'a comma is missing'],
    ["{'log': {}}", 'f:1:2', 'an unknown word'],
    ['{} {}', 'f:1:4', 'something stands behind its end'],
  ])('%j is no JSON, and the place is told', (text, source, why) => {
    const [fault] = faultsOf({ text });
    expect(fault).toMatchObject({ path: '', source, message: `is not JSON with comments: ${why}` });
  });

  it('is an object of objects', () => {
    expect(faultsOf({ text: '[]' })[0]?.message).toBe('must be an object, not []');
    expect(faultsOf({ text: '{"host": {"sync": "20s"}}' })).toMatchObject([
      { path: 'host.sync', message: 'must be an object, not "20s"' },
    ]);
  });

  it('gives a key once', () => {
    expect(faultsOf({ text: '{"log": {"level": "info",\n"level": "warn"}}' })).toMatchObject([
      { path: 'log.level', message: 'is there twice', source: 'f:2:1' },
    ]);
  });

  it('that is nested a hundred thousand deep is refused like any other', () => {
    expect(faultsOf({ text: '['.repeat(100_000) })[0]?.message).toMatch(/^is not JSON with comments/);
  });

  it('is never executed', () => {
    expect(faultsOf({ text: '{"log": {"file": process.exit(7)}}' })).toHaveLength(1);
  });
});

describe('keys that are right by themselves', () => {
  it.each([
    [{ 'host.tls.cert': '/c' }, 'host.tls.cert'],
    [{ 'host.tls.key': '/k' }, 'host.tls.key'],
    [{ 'host.database.tokenFile': '/t' }, 'host.database.tokenFile'],
    [{ 'host.database.tokenFile': '/t', 'host.database.url': 'file:/x' }, 'host.database.tokenFile'],
    [{ 'host.sync.hold': '30s' }, 'host.sync.suspect'],
    [{ 'host.sync.suspect': '90s' }, 'host.sync.unreachable'],
    [{ 'runner.sharedDir': '/var/lib/weir' }, 'runner.sharedDir'],
    [{ 'runner.scratchDir': '/var/lib/weir/scratch' }, 'runner.scratchDir'],
    [{ 'runner.mounts': [{ name: 'x', path: '/var/lib/weir/host' }] }, 'runner.mounts'],
    [{ 'runner.docker.socket': '/opt/engine/docker.sock', 'runner.sharedDir': '/opt' }, 'runner.sharedDir'],
  ])('%j may be wrong together: it is told where', (values, path) => {
    const flags = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { flag: `--${key}`, value }]));
    expect(faultsOf({ flags }).map((fault) => fault.path)).toEqual([path]);
  });
});
