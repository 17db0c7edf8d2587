import { describe, expect, it } from 'vitest';
import { settingsOf } from '../../src/config/settings.ts';
import { defaultHostConfig } from '../../src/host/config.ts';
import { hostOptions } from '../../src/main/host-options.ts';
import { runnerOptions } from '../../src/main/runner-options.ts';
import { defaultPolicy } from '../../src/runner/policy.ts';
import { otherValues, resolved, together } from '../config/sources.ts';

const { config: initial } = resolved({ process: 'runner' });

/** What the processes themselves take of the configuration. */
const ownParts = ({ config }: ReturnType<typeof resolved>): unknown => [
  config.log,
  config.runner.host,
  config.runner.joinFile,
];

describe('the configuration without a word', () => {
  it('is what Host and Runner do by themselves', () => {
    const { config, ...options } = hostOptions(initial);
    expect({ ...defaultHostConfig, ...config }).toEqual(defaultHostConfig);
    expect(options).toEqual({
      listen: { address: '127.0.0.1', port: 8000 },
      hostNames: [],
      tlsFiles: null,
    });
    expect(runnerOptions(initial).policy).toEqual(defaultPolicy);
  });
});

describe('every key', () => {
  const effect = (flags: Record<string, unknown>): string => {
    const given = Object.fromEntries(Object.entries(flags).map(([path, value]) => [path, { flag: '--x', value }]));
    const all = resolved({ process: 'runner', flags: given });
    return JSON.stringify([hostOptions(all.config), runnerOptions(all.config), ownParts(all)]);
  };

  it.each(['host', 'runner'] as const)('of weir %s reaches what it is for', (process) => {
    for (const { path } of settingsOf(process)) {
      const partner = together[path] ?? {};
      const without = path.startsWith('host.tls.') ? {} : partner;
      expect([path, effect({ ...partner, [path]: otherValues[path] })]).not.toEqual([path, effect(without)]);
    }
  });

  it('that is a public URL is one of the names by which the Host is called', () => {
    const { config } = resolved({
      text: '{"host": {"names": ["a.example"], "publicUrl": "https://weir.example:8000/"}}',
    });
    expect(hostOptions(config).hostNames).toEqual(['a.example', 'weir.example']);
  });
});
