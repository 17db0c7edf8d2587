import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { originText } from '../../src/config/given.ts';
import type { Sources } from '../../src/config/resolve.ts';
import { initialOf, namedSettings, variableOf } from '../../src/config/settings.ts';
import { fileWith, otherValues, resolved, together } from './sources.ts';

const asVariable = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const sourceKinds = ['file', 'variable', 'flag'] as const;

describe('of several sources', () => {
  it('the last of defaults < file < variables < flags wins, key by key, and is named', () => {
    const anySources = fc.dictionary(
      fc.constantFrom(...namedSettings.map(({ path }) => path)),
      fc.subarray([...sourceKinds]),
    );
    fc.assert(
      fc.property(anySources, (chosen) => {
        const env: Record<string, string> = {};
        const flags: Record<string, Sources['flags'][string]> = {};
        const file: Record<string, unknown> = {};
        const given = Object.entries(chosen).flatMap(([path, kinds]) =>
          Object.keys({ [path]: 0, ...together[path] }).map((key) => [key, kinds] as const),
        );
        for (const [path, kinds] of given) {
          const value = otherValues[path];
          if (kinds.includes('file')) put(file, path, value);
          if (kinds.includes('variable')) env[variableOf(path)] = asVariable(value);
          if (kinds.includes('flag')) flags[path] = { flag: `--${path}`, value };
        }
        const { settings } = resolved({ text: JSON.stringify(file), env, flags });
        for (const { path, written, origin } of settings) {
          const wanted = flags[path]
            ? 'flag'
            : env[variableOf(path)]
              ? 'variable'
              : at(file, path) === undefined
                ? 'default'
                : 'file';
          expect([path, origin.kind]).toEqual([path, wanted]);
          if (wanted === 'flag') expect(originText(origin)).toBe(`--${path}`);
          if (wanted !== 'default') expect(written).toEqual(otherValues[path]);
        }
      }),
    );
  });

  it.each(namedSettings.map(({ path }) => path))('%s is taken from each, as the same value', (path) => {
    const value = otherValues[path];
    const partner = together[path] ?? {};
    const flags = Object.fromEntries(Object.entries(partner).map(([key, one]) => [key, { flag: '--x', value: one }]));
    const ways = [
      resolved({ text: fileWith(path, value), flags }),
      resolved({ env: { [variableOf(path)]: asVariable(value) }, flags }),
      resolved({ flags: { ...flags, [path]: { flag: '--y', value } } }),
    ].map(({ config }) => at(config, path));
    expect(ways[1]).toEqual(ways[0]);
    expect(ways[2]).toEqual(ways[0]);
    expect(ways[0]).not.toEqual(at(resolved().config, path));
  });

  it('a list or a map is taken whole', () => {
    const { config } = resolved({
      text: '{"runner": {"labels": {"a": "1", "b": "2"}, "registries": ["ghcr.io"]}}',
      env: { WEIR_RUNNER_LABELS: 'b=3', WEIR_RUNNER_REGISTRIES: '[]' },
    });
    expect(config.runner.labels).toEqual({ b: '3' });
    expect(config.runner.registries).toEqual([]);
  });

  it('a value that another one replaces is still refused when it is wrong', () => {
    expect(() =>
      resolved({
        text: '{"log": {"level": "loud"}}',
        flags: { 'log.level': { flag: '--log-level', value: 'info' } },
      }),
    ).toThrow(/log\.level.*loud/);
  });
});

describe('without a word', () => {
  it.each(['up', 'host', 'runner'] as const)('weir %s has a value for every key, and each is right', (process) => {
    const { settings, config } = resolved({ process });
    expect(settings.map(({ path, written, origin }) => [path, written, origin.kind])).toEqual(
      namedSettings.map(({ path, setting }) => [path, initialOf(setting, process), 'default']),
    );
    expect(config.runner.listen).toEqual({
      address: '127.0.0.1',
      port: process === 'up' ? 0 : 8001,
    });
  });

  it('times and sizes are milliseconds and bytes inside', () => {
    const { host, runner } = resolved().config;
    expect(host.sync).toEqual({
      hold: 20_000,
      suspect: 30_000,
      unreachable: 90_000,
      grace: 60_000,
      orphanGrace: 600_000,
    });
    expect(runner.logs).toEqual({
      capBytes: 256 * 2 ** 20,
      keepFor: 7 * 86_400_000,
      keepBytes: 20 * 2 ** 30,
    });
  });

  it('DOCKER_HOST names the socket when it is one, and the file wins over it', () => {
    const env = { DOCKER_HOST: 'unix:///run/user/1000/docker.sock' };
    const { config, settings } = resolved({ env });
    expect(config.runner.docker.socket).toBe('/run/user/1000/docker.sock');
    expect(settings.find(({ path }) => path === 'runner.docker.socket')?.origin).toEqual({
      kind: 'foreign',
      variable: 'DOCKER_HOST',
    });
    expect(resolved({ env: { DOCKER_HOST: 'tcp://x:2375' } }).config.runner.docker.socket).toBe('/var/run/docker.sock');
    expect(resolved({ env, text: fileWith('runner.docker.socket', '/s') }).config.runner.docker.socket).toBe('/s');
  });
});

function put(target: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let inside = target;
  for (const key of keys) inside = (inside[key] ??= {}) as Record<string, unknown>;
  inside[last] = value;
}

function at(from: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], from);
}
