import { describe, expect, it } from 'vitest';
import { execFailure } from '../../../../src/runner/backend/docker/exec-failure.ts';
import { pullError } from '../../../../src/runner/backend/docker/pull-error.ts';
import { createPullProgress } from '../../../../src/runner/backend/docker/pull-progress.ts';
import { startError } from '../../../../src/runner/backend/docker/start-error.ts';

const shim =
  'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ';

describe('a start that the engine refused', () => {
  it.each([
    [
      `${shim}exec: "nosuch": executable file not found in $PATH: unknown`,
      'the command "nosuch" cannot be run in "x:1": executable file not found in $PATH',
    ],
    [
      `${shim}exec: "/etc/passwd": permission denied: unknown`,
      'the command "/etc/passwd" cannot be run in "x:1": permission denied',
    ],
    [
      'OCI runtime create failed: container_linux.go:380: starting container process caused: exec: "a b": stat a b: no such file or directory: unknown',
      'the command "a b" cannot be run in "x:1": no such file or directory',
    ],
    ['No command specified', '"x:1" has no command of its own: give one'],
    [
      'unable to find user eve: no matching entries in passwd file',
      'the engine could not start it: unable to find user eve: no matching entries in passwd file',
    ],
    [
      `${shim}error during container init: chdir: \u001b[31m: unknown`,
      'the engine could not start it: chdir: \\x1b[31m',
    ],
  ])('%s', (sentence, message) => {
    expect(startError('x:1', sentence)).toMatchObject({ code: 'start_failed', message });
  });
});

it('a command that the init process could not execute is told from what a task prints', () => {
  expect(execFailure('x:1', '[FATAL tini (7)] exec no such failed: No such file or directory\n')).toBe(
    'the command "no such" cannot be run in "x:1": No such file or directory',
  );
  expect(execFailure('x:1', 'sh: nosuch: not found\n')).toBeNull();
});

describe('a pull that failed', () => {
  it.each([
    [
      'manifest for debian:13x not found: manifest unknown: manifest unknown',
      'image_not_found',
      'is not in its registry',
    ],
    [
      "pull access denied for x, repository does not exist or may require 'docker login'",
      'image_not_found',
      'credential',
    ],
    ['Get "https://ghcr.io/v2/": dial tcp: lookup ghcr.io: no such host', 'image_pull_failed', 'does not resolve'],
    ['Get "https://x/v2/": dial tcp 1.2.3.4:443: connect: connection refused', 'image_pull_failed', 'nothing answers'],
    ['net/http: request canceled (Client.Timeout exceeded while awaiting headers)', 'image_pull_failed', 'in time'],
    ['write /var/lib/docker/tmp/x: no space left on device', 'image_pull_failed', 'disk is full'],
    ['toomanyrequests: You have reached your pull rate limit', 'image_pull_failed', 'too much'],
    ['no matching manifest for linux/arm64 in the manifest list entries', 'image_pull_failed', 'kind of machine'],
    ['something new', 'image_pull_failed', 'the engine says: something new'],
  ])('%s', (sentence, code, part) => {
    expect(pullError('x:1', sentence)).toMatchObject({
      code,
      message: expect.stringContaining(part),
    });
  });
});

it('the progress of a pull counts layers and bytes', () => {
  const progress = createPullProgress();
  const mebi = 1024 * 1024;
  const texts = [
    { status: 'Pulling from library/debian', id: '12' },
    { status: 'Pulling fs layer', id: 'a' },
    { status: 'Already exists', id: 'b' },
    { status: 'Downloading', id: 'a', progressDetail: { current: 2 * mebi, total: 8 * mebi } },
    { status: 'Download complete', id: 'a' },
    { status: 'Pull complete', id: 'a' },
    { status: 'Digest: sha256:aa' },
  ].map((line) => progress.add(line));
  expect(texts).toEqual([
    null,
    '0 of 1 layers',
    '1 of 2 layers',
    '1 of 2 layers, 2 MiB of 8 MiB',
    '1 of 2 layers, 8 MiB of 8 MiB',
    '2 of 2 layers, 8 MiB of 8 MiB',
    '2 of 2 layers, 8 MiB of 8 MiB',
  ]);
});
