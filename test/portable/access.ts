import { describe, expect, it } from 'vitest';
import { problemOf } from '../support/calls.ts';
import type { TargetOf } from './target.ts';

const anonymous = { authorization: '' };

export function accessSuite(target: TargetOf): void {
  describe('access', () => {
    it('says that it lives and is ready without a token, and nothing else', async () => {
      const { call } = target();
      expect((await call('GET', '/healthz', undefined, anonymous)).body).toEqual({ status: 'ok' });
      expect((await call('GET', '/readyz', undefined, anonymous)).body).toEqual({ status: 'ok' });
      for (const path of ['/api/v1/tasks', '/api/v1/nodes', '/api/v1/events', '/metrics', '/api/v1/nothing']) {
        const refused = await call('GET', path, undefined, anonymous);
        expect([path, refused.status, problemOf(refused).code]).toEqual([path, 401, 'unauthenticated']);
        expect(refused.headers.get('www-authenticate')).toContain('Bearer');
      }
    });

    it('refuses a token that was changed by one letter', async () => {
      const { call, token } = target();
      const at = token.length - 20;
      const forged = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
      const refused = await call('GET', '/api/v1/tasks', undefined, {
        authorization: `Bearer ${forged}`,
      });
      expect([refused.status, problemOf(refused).code]).toEqual([401, 'unauthenticated']);
    });

    it('knows whose token it is, which paths there are and which methods they have', async () => {
      const { call } = target();
      expect((await call('GET', '/api/v1/whoami')).body).toMatchObject({ subject: 'admin' });
      expect(problemOf(await call('GET', '/api/v1/nothing')).code).toBe('not_found');
      const refused = await call('PUT', '/api/v1/tasks');
      expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, POST']);
    });

    it('describes itself and tells metrics', async () => {
      const { call } = target();
      const document = (await call('GET', '/openapi.json', undefined, anonymous)).body as {
        paths: object;
      };
      expect(Object.keys(document.paths)).toContain('/api/v1/tasks');
      expect((await call('GET', '/metrics')).text).toMatch(/^weir_http_request_seconds_count\{/m);
    });
  });
}
