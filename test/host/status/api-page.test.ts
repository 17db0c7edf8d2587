import { describe, expect, it } from 'vitest';
import { openTestContext } from '../../support/host-context.ts';

describe('the API page', () => {
  it('answers without a credential, with every path, and takes nothing from elsewhere', async () => {
    await using test = await openTestContext();
    const answer = await test.call('GET', '/docs', undefined, { authorization: '' });
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.headers.get('content-type')).toContain('text/html');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    const document = (await test.call('GET', '/openapi.json')).body as { paths: Record<string, unknown> };
    for (const path of Object.keys(document.paths)) expect(answer.text).toContain(`<code>${path}</code>`);
    expect(answer.text).not.toMatch(/<script|https?:\/\/|src=/);
  });
});
