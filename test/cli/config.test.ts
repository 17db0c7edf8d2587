import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { settings, settingsOf, variableOf } from '../../src/config/settings.ts';
import { serverProcesses } from '../../src/config/setting.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { openTerminal } from './cli-harness.ts';

describe('weir config init', () => {
  it('writes a file that check finds nothing wrong with, and show takes nothing from', async () => {
    await using terminal = await openTerminal();
    const path = join(terminal.cli.folders.data, 'config.json');
    expect(await terminal.weir('config', 'init')).toBe(0);
    expect(terminal.stdout.text()).toBe(`${path}\n`);
    expect(await terminal.weir('config', 'check')).toBe(0);
    expect(terminal.stdout.text()).toMatch(/config\.json: nothing is wrong, 0 of \d+ keys are set\n$/);
    expect(await terminal.weir('config', 'show')).toBe(0);
    expect(terminal.stdout.text()).not.toMatch(/config\.json:\d/);
    expect(terminal.stderr.text()).toBe('');
    expect((await stat(terminal.cli.folders.data)).mode & 0o777).toBe(0o700);
  });

  it('leaves a file alone that is there', async () => {
    await using terminal = await openTerminal();
    const path = join(terminal.folder, 'mine.json');
    await writeFile(path, 'mine');
    expect(await terminal.weir('config', 'init', '--runner', path)).toBe(4);
    expect(terminal.stderr.text()).toMatch(/^weir: .*mine\.json is there already \(file_exists\); .+\n$/);
    expect(await readFile(path, 'utf8')).toBe('mine');
  });

  it('writes the keys of the process that is asked for', async () => {
    await using terminal = await openTerminal();
    const path = join(terminal.folder, 'runner.json');
    expect(await terminal.weir('config', 'init', '--runner', path)).toBe(0);
    const text = await readFile(path, 'utf8');
    expect(text).toContain('"joinFile"');
    expect(text).not.toContain('"retention"');
    expect(await terminal.weir('config', 'init', '--runner', '--host', path)).toBe(2);
  });
});

describe('weir config show', () => {
  it('says of each value where it comes from', async () => {
    await using terminal = await openTerminal({ env: { WEIR_HOST_SYNC_HOLD: '5s' } });
    const file = join(terminal.folder, 'c.json');
    await writeFile(file, '{\n  "host": { "names": ["weir.example"] },\n  "log": { "level": "warn" }\n}\n');
    expect(await terminal.weir('config', 'show', '--config', file, '--host', '-o', 'json')).toBe(0);
    const shown = JSON.parse(terminal.stdout.text()) as {
      key: string;
      value: unknown;
      source: string;
    }[];
    expect(shown.map(({ key }) => key)).toEqual(settingsOf('host').map(({ path }) => path));
    const of = (key: string) => shown.find((one) => one.key === key);
    expect(of('host.names')).toEqual({
      key: 'host.names',
      value: ['weir.example'],
      source: `${file}:2:22`,
    });
    expect(of('log.level')).toEqual({ key: 'log.level', value: 'warn', source: `${file}:3:21` });
    expect(of('host.sync.hold')).toEqual({
      key: 'host.sync.hold',
      value: '5s',
      source: 'WEIR_HOST_SYNC_HOLD',
    });
    expect(of('host.listen')).toEqual({
      key: 'host.listen',
      value: '127.0.0.1:8000',
      source: 'default',
    });
  });

  it('is a table for people and one key a line for scripts', async () => {
    await using terminal = await openTerminal();
    expect(await terminal.weir('config', 'show', '--runner')).toBe(0);
    expect(terminal.stdout.text()).toMatch(/^KEY +VALUE +SOURCE\nrunner\.host +- +default\n/);
    expect(await terminal.weir('config', 'show', '-o', 'name')).toBe(0);
    expect(terminal.stdout.text()).toContain('\nhost.listen\nhost.names\n');
    expect(await terminal.weir('config', 'show', '-o', 'yaml')).toBe(0);
    expect(terminal.stdout.text()).toContain('key: host.listen');
  });

  it('never opens the files of secrets', async () => {
    await using terminal = await openTerminal();
    const secret = join(terminal.folder, 'token');
    await writeFile(secret, 'canary-1', { mode: 0o600 });
    const file = join(terminal.folder, 'c.json');
    await writeFile(
      file,
      JSON.stringify({
        host: { database: { url: 'https://db', tokenFile: secret } },
        runner: { joinFile: secret },
      }),
    );
    for (const format of ['table', 'json', 'yaml'])
      expect(await terminal.weir('config', 'show', '--config', file, '-o', format)).toBe(0);
    expect(terminal.stdout.text()).toContain(secret);
    expect(terminal.stdout.text()).not.toContain('canary');
  });
});

describe('weir config check', () => {
  it('lists every fault with its place and what would mend it, and ends with 2', async () => {
    await using terminal = await openTerminal({ env: { WEIR_LOG_LEVL: 'info' } });
    const file = join(terminal.folder, 'c.json');
    await writeFile(file, '{\n  "hots": {},\n  "runner": { "registries": ["10.0.0.1"] }\n}\n');
    expect(await terminal.weir('config', 'check', file)).toBe(2);
    expect(terminal.stdout.text()).toBe('');
    const lines = terminal.stderr.text().split('\n');
    expect(lines[0]).toBe('weir: the configuration has 3 faults (config_invalid)');
    expect(lines[1]).toBe(`  hots: is not a key (${file}:2:3); did you mean host?`);
    expect(lines[2]).toContain('WEIR_LOG_LEVL: is not a variable of the configuration');
    expect(lines[3]).toMatch(/^ {2}runner\.registries\.0: .*not "10\.0\.0\.1" \(.*c\.json:3:30\); for example/);
  });

  it('tells a single fault in one line', async () => {
    await using terminal = await openTerminal();
    const file = join(terminal.folder, 'c.json');
    await writeFile(file, '{"log": {"level": "loud"}}');
    expect(await terminal.weir('config', 'check', file)).toBe(2);
    expect(terminal.stderr.text()).toBe(
      `weir: log.level must be debug, info, warn or error, not "loud", in ${file}:1:19 (config_invalid); for example "level": "info"\n`,
    );
    expect(await terminal.weir('config', 'check', join(terminal.folder, 'absent'))).toBe(2);
  });

  it('warns of a file that others may write', async () => {
    await using terminal = await openTerminal();
    await mkdir(terminal.cli.folders.system);
    const file = join(terminal.cli.folders.system, 'config.json');
    await writeFile(file, '{}');
    await chmod(file, 0o666);
    expect(await terminal.weir('config', 'check')).toBe(0);
    expect(terminal.stderr.text()).toBe(`weir: ${file} can be written by others on this machine: chmod 644\n`);
  });
});

describe('the processes', () => {
  it.each(serverProcesses)('weir %s has the flags that its keys name', async (process) => {
    await using terminal = await openTerminal();
    const program = await buildProgram({ ...terminal.cli, setExitCode: () => undefined }, 'all');
    const command = program.commands.find((one) => one.name() === process);
    const flags = command?.options.map(({ long }) => long) ?? [];
    for (const { setting } of settingsOf(process)) {
      const flag = setting.flags?.[process];
      if (flag !== undefined) expect(flags).toContain(flag);
    }
    expect(Object.keys(settings.keys)).toContain('host');
    expect(flags).toContain('--config');
  });

  it.each(serverProcesses)('weir %s does not start on a wrong file, variable or flag', async (process) => {
    await using terminal = await openTerminal();
    const file = join(terminal.folder, 'c.json');
    await writeFile(file, '{"logs": {}}');
    expect(await terminal.weir(process, '--config', file)).toBe(2);
    expect(terminal.stderr.text()).toContain('did you mean log?');
    expect(await terminal.weir(process, '--listen', 'nowhere')).toBe(2);
    expect(terminal.stderr.text()).toContain('in --listen');
    const env = { [variableOf('log.level')]: 'x' };
    await using other = await openTerminal({ env });
    expect(await other.weir(process)).toBe(2);
    expect(other.stderr.text()).toContain(`in ${variableOf('log.level')}`);
  });
});
