import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { credentialId, nodeId, taskId } from '../../src/protocol/ids.ts';
import { formatSessionProof, parseSessionProof } from '../../src/protocol/enrol.ts';
import {
  ProblemError,
  problemSchema,
  problemStatus,
  problemTitle,
  type ProblemCode,
} from '../../src/protocol/problem.ts';
import { reason, reasonAdvice, reasonCodes, reasonSchema } from '../../src/protocol/reason.ts';

const counter = fc.integer({ min: 0, max: 2 ** 38 });

describe('an id', () => {
  it('is short, says its kind, and is read back as what it was', () => {
    expect([taskId.fromCounter(1), nodeId.fromCounter(31), credentialId.fromCounter(32)]).toEqual(['t1', 'nz', 'c10']);
    fc.assert(
      fc.property(counter, (number) => {
        const id = taskId.fromCounter(number);
        expect(taskId.parse(id)).toBe(id);
        expect(taskId.fromStored(taskId.toStored(id))).toBe(id);
        expect(nodeId.parse(id)).toBeNull();
      }),
    );
  });

  it('is stored as a number that grows with its counter', () => {
    fc.assert(
      fc.property(counter, counter, (a, b) => {
        const stored = (number: number): number => taskId.toStored(taskId.fromCounter(number));
        expect(Math.sign(stored(a) - stored(b))).toBe(Math.sign(a - b));
      }),
    );
  });

  it.each(['', 't', 'T1', 't01', 't1 ', 'ti', 'tl', 'to', 'tu', 't-1', 't1\n', 't99999999999', 'n1', '1'])(
    'is not "%s"',
    (text) => {
      expect(taskId.parse(text)).toBeNull();
      expect(v.safeParse(taskId.schema, text).success).toBe(false);
      expect(() => taskId.toStored(text as ReturnType<typeof taskId.fromCounter>)).toThrow(TypeError);
    },
  );

  it('has one spelling alone', () => {
    const texts = fc.sample(fc.string({ unit: fc.constantFrom('t', '0', '1', 'z', '.', 'i'), maxLength: 6 }), 2000);
    const ids = texts.filter((text) => taskId.parse(text) !== null);
    expect(ids.length).toBeGreaterThan(10);
    expect(
      ids.map((text) => taskId.fromStored(taskId.toStored(text as ReturnType<typeof taskId.fromCounter>))),
    ).toEqual(ids);
  });
});

describe('the proof of a request', () => {
  const base64url = fc.string({ unit: fc.constantFrom(...'ABCxyz019-_'.split('')), minLength: 43, maxLength: 43 });

  it('is read back as it was written', () => {
    fc.assert(
      fc.property(base64url, fc.nat(), base64url, (session, seq, mac) => {
        expect(parseSessionProof(formatSessionProof({ session, seq, mac }))).toEqual({ session, seq, mac });
      }),
    );
  });

  it('is nothing else', () => {
    const others = fc.sample(fc.string(), 200).filter((text) => parseSessionProof(text) !== null);
    expect(others).toEqual([]);
  });
});

describe('a problem', () => {
  const codes = Object.keys(problemStatus) as ProblemCode[];

  it.each(codes)('%s has a status, a title and a body that is one', (code) => {
    const problem = new ProblemError(code, 'why', { fix: 'how', errors: [{ pointer: '/a', message: 'b' }] });
    expect(problem.status).toBeGreaterThanOrEqual(400);
    expect(problemTitle[code]).toMatch(/^[A-Z].{5}/);
    const body = problem.toProblem('request-1');
    expect(v.parse(problemSchema, body)).toEqual(body);
    expect(body).toMatchObject({ type: `urn:weir:error:${code}`, status: problem.status, requestId: 'request-1' });
  });

  it('does not tell its cause', () => {
    const problem = new ProblemError('internal', 'why', { cause: new Error('canary') });
    expect(JSON.stringify(problem.toProblem('request-1'))).not.toContain('canary');
    expect(problem.cause).toBeInstanceOf(Error);
  });
});

describe('a reason', () => {
  it.each(reasonCodes)('%s says what would change it', (code) => {
    expect(v.parse(reasonSchema, reason(code, 'so it is'))).toEqual({
      code,
      message: 'so it is',
      advice: reasonAdvice[code],
    });
    expect(reasonAdvice[code]).toMatch(/^[A-Z].{10,}[.]$/);
  });
});
