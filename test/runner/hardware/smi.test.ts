import { describe, expect, it } from 'vitest';
import type { ToolResult } from '../../../src/lib/node/run-tool.ts';
import { createSmi } from '../../../src/runner/hardware/smi.ts';
import { exited } from './recorded.ts';

const never = new AbortController().signal;

function smiOf(answer: (args: readonly string[]) => ToolResult) {
  const asked: (readonly string[])[] = [];
  let nowMs = 0;
  const smi = createSmi({
    run: async ([, ...args]) => {
      asked.push(args);
      return answer(args);
    },
    clock: { monotonic: () => nowMs },
  });
  return { smi, asked, pass: (ms: number) => (nowMs += ms) };
}

const refuses = (unknown: readonly string[]) => (args: readonly string[]) => {
  const field = unknown.find((name) => args[0]?.split(/[=,]/).includes(name));
  return field === undefined ? exited('fine') : exited(`Field "${field}" is not a valid field to query.\n\n`, 2);
};

describe('asking the tool of the driver', () => {
  it('takes the older name where the newer is not known, and remembers', async () => {
    const { smi, asked } = smiOf(refuses(['clocks_event_reasons.active']));
    const fields = [['uuid'], ['clocks_event_reasons.active', 'clocks_throttle_reasons.active']] as const;
    expect((await smi.query('gpu', fields, never)).columns).toEqual(['uuid', 'clocks_throttle_reasons.active']);
    await smi.query('gpu', fields, never);
    expect(asked).toHaveLength(3);
  });

  it('leaves out a field that has no name there', async () => {
    const { smi } = smiOf(refuses(['fan.speed']));
    const { columns, answer } = await smi.query('gpu', [['uuid'], ['fan.speed'], ['memory.used']], never);
    expect(columns).toEqual(['uuid', null, 'memory.used']);
    expect(answer).toMatchObject({ stdout: 'fine', fault: null });
  });

  it('does not ask again for ever when the tool refuses what nobody asked for', async () => {
    const { smi, asked } = smiOf(() => exited('Field "other" is not a valid field to query.', 2));
    expect((await smi.query('gpu', [['uuid']], never)).answer.fault).toMatch(/code 2/);
    expect(asked).toHaveLength(1);
  });

  it('leaves a tool that hangs alone for a while, longer each time', async () => {
    const { smi, asked, pass } = smiOf(() => ({ outcome: 'timed_out', afterMs: 20_000 }));
    const ask = () => smi.run(['-L'], never);
    expect(await ask()).toEqual({
      outcome: 'silent',
      stdout: '',
      fault: expect.stringMatching(/did not answer within 20 s/),
    });
    expect(await ask()).toMatchObject({ outcome: 'silent' });
    expect(asked).toHaveLength(1);
    pass(60_000);
    await ask();
    pass(60_000);
    await ask();
    expect(asked).toHaveLength(2);
    pass(60_000);
    await ask();
    expect(asked).toHaveLength(3);
  });

  it('asks as ever once it answers again', async () => {
    let hangs = true;
    const { smi, pass } = smiOf(() => (hangs ? { outcome: 'timed_out', afterMs: 20_000 } : exited('GPU 0')));
    await smi.run(['-L'], never);
    hangs = false;
    pass(60_000);
    expect(await smi.run(['-L'], never)).toEqual({ outcome: 'answered', stdout: 'GPU 0', fault: null });
    expect(await smi.run(['-L'], never)).toMatchObject({ outcome: 'answered' });
  });

  it('tells a machine without the tool, or without a card, from a fault', async () => {
    expect(await smiOf(() => ({ outcome: 'absent' })).smi.run([], never)).toMatchObject({
      outcome: 'absent',
      fault: null,
    });
    expect((await smiOf(() => exited('No devices were found\n', 6)).smi.run([], never)).fault).toBeNull();
    expect((await smiOf(() => exited('', 9, 'NVIDIA-SMI has failed')).smi.run([], never)).fault).toBe(
      'nvidia-smi ended with code 9: NVIDIA-SMI has failed',
    );
  });
});
