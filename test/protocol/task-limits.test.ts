import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { taskSpecSchema } from '../../src/protocol/task-spec.ts';

const issues = (fields: object): string[] =>
  (v.safeParse(taskSpecSchema, { image: 'weir/demo:1', ...fields }).issues ?? []).map(({ message }) => message);

describe('a limit of a task', () => {
  it.each([
    ['memory that the engine would refuse', { resources: { memory: '5MiB' } }, /at least 6 MiB/],
    ['a /dev/shm that would be the default', { resources: { shmSize: 0 } }, /at least 64 KiB/],
    ['input that is longer in bytes than in letters', { stdin: 'é'.repeat(200_000) }, /at most 256 KiB as UTF-8/],
  ])('refuses %s', (_what, fields, sentence) => {
    expect(issues(fields)).toEqual([expect.stringMatching(sentence)]);
  });

  it.each([
    { resources: { memory: '6MiB' } },
    { resources: { memory: 0 } },
    { resources: { shmSize: '64KiB' } },
    { stdin: 'é'.repeat(131_072) },
  ])('takes %j', (fields) => {
    expect(issues(fields)).toEqual([]);
  });
});
