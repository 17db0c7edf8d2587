import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig, usualFile } from '../../src/config/load.ts';
import { serverProcesses } from '../../src/config/setting.ts';
import { initialOf, settingsOf } from '../../src/config/settings.ts';
import { configTemplate } from '../../src/config/template.ts';
import { resolved } from './sources.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-config-'));
  await mkdir(join(folder, 'data'));
  await mkdir(join(folder, 'etc'));
});
afterEach(() => rm(folder, { recursive: true }));

const load = (file: string | null = null, env: Record<string, string> = {}) =>
  loadConfig({
    process: 'host',
    dataDir: join(folder, 'data'),
    file,
    systemFile: join(folder, 'etc/config.json'),
    env,
    flags: {},
  });

async function put(name: string, text: string, mode = 0o644): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

const level = (name: string): string => `{"log": {"level": "${name}"}}`;

describe('the file', () => {
  it('is the one that was named, else that of the data folder, else that of the machine, and one only', async () => {
    expect(await load()).toMatchObject({ file: null, config: { log: { level: 'info' } } });
    const system = await put('etc/config.json', '{"log": {"level": "warn", "format": "text"}}');
    expect(await load()).toMatchObject({
      file: system,
      config: { log: { level: 'warn', format: 'text' } },
    });
    const own = await put('data/config.json', level('error'));
    expect(usualFile(join(folder, 'data'))).toBe(own);
    expect(await load()).toMatchObject({
      file: own,
      config: { log: { level: 'error', format: 'json' } },
    });
    const named = await put('named.json', level('debug'));
    expect(await load(named)).toMatchObject({ file: named, config: { log: { level: 'debug' } } });
  });

  it('that was named and is not there is a fault', async () => {
    await put('data/config.json', level('error'));
    await expect(load(join(folder, 'absent.json'))).rejects.toThrow(/there is no such file .*absent\.json/);
  });

  it('that cannot be read, is too large or is no text is a fault that names it', async () => {
    await expect(load(join(folder, 'data'))).rejects.toThrow(/cannot be read/);
    await expect(load(await put('large.json', ' '.repeat(1_048_577)))).rejects.toThrow(/larger than/);
    await writeFile(join(folder, 'latin.json'), Buffer.from([0x22, 0xe9, 0x22]));
    await expect(load(join(folder, 'latin.json'))).rejects.toThrow(/latin\.json/);
  });
});

describe('rights', () => {
  it('that let others read a secret or write the file are warned of', async () => {
    const token = await put('token', 'canary', 0o640);
    const key = await put('key.pem', 'canary', 0o600);
    const text = JSON.stringify({
      host: { tls: { cert: '/c', key }, database: { url: 'https://db', tokenFile: token } },
    });
    const file = await put('config.json', text, 0o664);
    const { warnings } = await load(file);
    expect(warnings).toEqual([
      `${token} can be read by others on this machine: chmod 600`,
      `${file} can be written by others on this machine: chmod 644`,
    ]);
    await chmod(token, 0o400);
    await chmod(file, 0o444);
    expect((await load(file)).warnings).toEqual([]);
  });
});

describe('what `weir config init` writes', () => {
  it.each(serverProcesses)('for %s is right as it is, and changes nothing', (process) => {
    const { config, settings } = resolved({ process, text: configTemplate(process) });
    expect(config).toEqual(resolved({ process }).config);
    expect(settings.filter(({ origin }) => origin.kind !== 'default')).toEqual([]);
  });

  it.each(serverProcesses)(
    'for %s holds each of its keys, and with all of them in force it changes nothing either',
    (process) => {
      const text = configTemplate(process).replaceAll(/^( *)\/\/ ("\w+": .*,)$/gm, '$1$2');
      const { config, settings } = resolved({ process, text });
      expect(config).toEqual(resolved({ process }).config);
      const inFile = settings.filter(({ origin }) => origin.kind === 'file').map(({ path }) => path);
      expect(inFile).toEqual(settingsOf(process).map(({ path }) => path));
      for (const { setting, written } of settings.filter(({ path }) => inFile.includes(path)))
        expect(written).toEqual(initialOf(setting, process));
    },
  );

  it('keeps to a width that a terminal has', () => {
    for (const line of configTemplate('up').split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });
});
