import { describe, expect, it } from 'vitest';
import { runTool } from '../../../src/lib/node/run-tool.ts';

const never = new AbortController().signal;
const long = { timeoutMs: 30_000 };

describe('running a tool', () => {
  it('gives its output and its code', async () => {
    const result = await runTool(['sh', '-c', 'cat; echo bad >&2; exit 3'], { ...long, stdin: 'told' }, never);
    expect(result).toEqual({ outcome: 'exited', code: 3, stdout: 'told', stderr: 'bad\n' });
  });

  it('says that a tool is not there', async () => {
    expect(await runTool(['no-such-tool-here'], long, never)).toEqual({ outcome: 'absent' });
  });

  it('takes arguments as they are', async () => {
    const result = await runTool(['printf', '%s', '$HOME; `id`'], long, never);
    expect(result).toMatchObject({ stdout: '$HOME; `id`' });
  });

  it('hands on none of our variables', async () => {
    process.env['WEIR_TEST_SECRET'] = 'canary';
    const result = await runTool(['env'], long, never);
    delete process.env['WEIR_TEST_SECRET'];
    expect(result.outcome === 'exited' && result.stdout).not.toContain('canary');
  });

  it('leaves a tool that takes too long', async () => {
    const result = await runTool(['sleep', '60'], { timeoutMs: 30 }, never);
    expect(result).toEqual({ outcome: 'timed_out', afterMs: 30 });
  });

  it('kills it when the signal aborts', async () => {
    const stop = new AbortController();
    const running = runTool(['sleep', '60'], long, stop.signal);
    stop.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    await expect(runTool(['true'], long, stop.signal)).rejects.toThrow('enough');
  });

  it('does not mind a tool that reads nothing', async () => {
    const result = await runTool(['true'], { ...long, stdin: 'x'.repeat(1 << 20) }, never);
    expect(result).toMatchObject({ outcome: 'exited', code: 0 });
  });
});
