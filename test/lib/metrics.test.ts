import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/lib/metrics.ts';
import { parseExposition } from '../support/prometheus.ts';

describe('metrics', () => {
  it('are written as Prometheus reads them', () => {
    const metrics = createMetrics();
    metrics.counter('a_total', 'Things.').add(2);
    const gauge = metrics.gauge('b', 'Levels.', ['name', 'kind']);
    gauge.set(1.5, ['quote " back \\ line \n end', 'x']);
    gauge.set(-1, ['other', 'x']);
    const seconds = metrics.histogram('c_seconds', 'Times.', { buckets: [0.1, 1], labels: ['route'] });
    for (const value of [0.05, 0.1, 0.5, 7]) seconds.observe(value, ['/']);
    const families = parseExposition(metrics.render());
    expect(families.get('a_total')).toEqual({ type: 'counter', samples: [{ name: 'a_total', labels: {}, value: 2 }] });
    expect(families.get('b')?.samples.map((sample) => sample.value)).toEqual([1.5, -1]);
    expect(families.get('b')?.samples[0]?.labels['name']).toBe(String.raw`quote \" back \\ line \n end`);
    expect(families.get('c_seconds')?.samples.map(({ name, labels, value }) => [name, labels['le'], value])).toEqual([
      ['c_seconds_bucket', '0.1', 2],
      ['c_seconds_bucket', '1', 3],
      ['c_seconds_bucket', '+Inf', 4],
      ['c_seconds_sum', undefined, 7.65],
      ['c_seconds_count', undefined, 4],
    ]);
  });

  it('that nobody touched are there with nothing, unless their labels are not known', () => {
    const metrics = createMetrics();
    metrics.counter('a_total', 'Things.');
    metrics.gauge('b', 'Levels.', ['name']);
    const families = parseExposition(metrics.render());
    expect(families.get('a_total')?.samples).toEqual([{ name: 'a_total', labels: {}, value: 0 }]);
    expect(families.get('b')?.samples).toEqual([]);
  });

  it('forget what is gone when cleared', () => {
    const metrics = createMetrics();
    const gauge = metrics.gauge('b', 'Levels.', ['name']);
    gauge.set(1, ['old']);
    gauge.clear();
    gauge.set(1, ['new']);
    expect(metrics.render()).not.toContain('old');
  });

  it('stay bounded whatever the label values', () => {
    const metrics = createMetrics();
    const counter = metrics.counter('a_total', 'Things.', ['name']);
    for (let at = 0; at < 5000; at += 1) counter.add(1, [`name-${at}`]);
    const samples = parseExposition(metrics.render()).get('a_total')?.samples ?? [];
    expect(samples.length).toBe(2001);
    expect(samples.find((sample) => sample.labels['name'] === 'other')?.value).toBe(3000);
  });

  it('have one name each', () => {
    const metrics = createMetrics();
    metrics.counter('a_total', 'Things.');
    expect(() => metrics.gauge('a_total', 'Others.')).toThrow('there already');
  });
});

describe('the reader of the text format', () => {
  const good = '# HELP a A.\n# TYPE a gauge\na 1\n';
  it.each([
    ['no end of line', good.slice(0, -1)],
    ['a sample without its type', 'a 1\n'],
    ['a sample twice', `${good}a 1\n`],
    ['a type without help', '# TYPE a gauge\na 1\n'],
    ['a counter without _total', good.replace('gauge', 'counter')],
    ['a bad type', '# HELP a A.\n# TYPE a number\na 1\n'],
    ['a bad number', good.replace('a 1', 'a one')],
    ['a bare quote in a label', good.replace('a 1', 'a{b="c"d"} 1')],
    [
      'falling buckets',
      '# HELP a A.\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
    ],
  ])('refuses %s', (_what, text) => {
    expect(() => parseExposition(text)).toThrow(Error);
    expect(parseExposition(good).size).toBe(1);
  });
});
