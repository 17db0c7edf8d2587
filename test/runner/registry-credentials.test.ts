import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { registryCredentials } from '../../src/runner/registry-credentials.ts';
import { scratchFolder } from '../lib/node/scratch-folder.ts';

function credentials(content: unknown) {
  const file = join(scratchFolder(), 'auths.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return { file, lookUp: registryCredentials(file) };
}

const auth = (text: string): string => Buffer.from(text).toString('base64');

describe('credentials of registries', () => {
  it('are those of the file, by the name of the registry in any of its spellings', async () => {
    const { lookUp } = credentials({
      auths: {
        'https://index.docker.io/v1/': { auth: auth('ann:a:b') },
        'registry.example:5000': { username: 'bot', password: 'p' },
        'https://ghcr.io': { identitytoken: 't', auth: auth('ann:') },
      },
      credsStore: 'ignored',
    });
    expect(await lookUp('docker.io')).toEqual({
      username: 'ann',
      password: 'a:b',
      serveraddress: 'https://index.docker.io/v1/',
    });
    expect(await lookUp('registry.example:5000')).toEqual({
      username: 'bot',
      password: 'p',
      serveraddress: 'registry.example:5000',
    });
    expect(await lookUp('ghcr.io')).toEqual({ identitytoken: 't', serveraddress: 'ghcr.io' });
    expect(await lookUp('registry.example')).toBeNull();
    expect(await registryCredentials(null)('docker.io')).toBeNull();
  });

  it('are read anew each time', async () => {
    const { file, lookUp } = credentials({ auths: {} });
    expect(await lookUp('ghcr.io')).toBeNull();
    writeFileSync(file, JSON.stringify({ auths: { 'ghcr.io': { auth: auth('a:b') } } }));
    expect(await lookUp('ghcr.io')).toMatchObject({ username: 'a', password: 'b' });
  });

  it.each([
    'canary',
    '{"auths": "canary"}',
    '{"auths": {"ghcr.io": {"auth": 1, "x": "canary"}}}',
    '{"auths": {"ghcr.io": {"password": "canary"}}}',
  ])('in a file like %s are refused by a sentence that repeats nothing of it', async (content) => {
    const { file, lookUp } = credentials(content);
    const error: unknown = await lookUp('ghcr.io').catch((reason: unknown) => reason);
    expect(String(error)).toContain(file);
    expect(String(error)).not.toContain('canary');
  });
});
