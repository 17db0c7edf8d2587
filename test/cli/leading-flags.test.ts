import { describe, expect, it } from 'vitest';
import { leadingFlagsLast } from '../../src/cli/leading-flags.ts';

describe('connection flags in front of the command', () => {
  it('go behind it, and stay in front of what is the workload’s own', () => {
    expect(leadingFlagsLast(['--data', 'D', 'task', 'list', '-o', 'json'])).toEqual([
      'task',
      'list',
      '-o',
      'json',
      '--data',
      'D',
    ]);
    expect(leadingFlagsLast(['--url=http://h', 'run', '--', 'sh', '-c', 'x'])).toEqual([
      'run',
      '--url=http://h',
      '--',
      'sh',
      '-c',
      'x',
    ]);
    expect(leadingFlagsLast(['-o', 'json', 'status'])).toEqual(['status', '-o', 'json']);
  });

  it('leave a command line without them as it is', () => {
    for (const argv of [['task', 'list'], ['--help'], ['--data'], []]) expect(leadingFlagsLast(argv)).toEqual(argv);
  });
});
