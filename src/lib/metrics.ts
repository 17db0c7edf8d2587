/** Counters, gauges and histograms in Prometheus' text format, version 0.0.4. */
export interface Metrics {
  counter(name: string, help: string, labels?: readonly string[]): Counter;
  gauge(name: string, help: string, labels?: readonly string[]): Gauge;
  histogram(name: string, help: string, options: { buckets: readonly number[]; labels?: readonly string[] }): Histogram;
  /** The whole exposition. */
  render(): string;
}

type LabelValues = readonly string[];

export interface Counter {
  add(amount?: number, values?: LabelValues): void;
}

export interface Gauge {
  set(value: number, values?: LabelValues): void;
  /** Forgets every series, so that one of a thing that is gone is not told for ever. */
  clear(): void;
}

export interface Histogram {
  observe(value: number, values?: LabelValues): void;
}

interface Family {
  head: string;
  lines(): Iterable<string>;
}

/** Series are bounded: label values come from closed sets, and what comes beyond is counted as one series. */
const mostSeries = 2000;

export function createMetrics(): Metrics {
  const families = new Map<string, Family>();
  const add = (name: string, head: { type: string; help: string }, lines: () => Iterable<string>): void => {
    if (families.has(name)) throw new Error(`the metric ${name} is there already`);
    families.set(name, { head: `# HELP ${name} ${head.help}\n# TYPE ${name} ${head.type}`, lines });
  };
  return {
    counter(name, help, labels = []) {
      const series = createSeries(() => 0, labels);
      add(name, { type: 'counter', help }, () => plainLines(name, series));
      return { add: (amount = 1, values = []) => series.update(values, (now) => now + amount) };
    },
    gauge(name, help, labels = []) {
      const series = createSeries(() => 0, labels);
      add(name, { type: 'gauge', help }, () => plainLines(name, series));
      return { set: (value, values = []) => series.update(values, () => value), clear: () => series.all.clear() };
    },
    histogram(name, help, { buckets, labels = [] }) {
      const series = createSeries(() => ({ counts: buckets.map(() => 0), sum: 0, count: 0 }), labels);
      add(name, { type: 'histogram', help }, () => histogramLines(name, buckets, series));
      return {
        observe: (value, values = []) =>
          series.update(values, (now) => {
            for (const [at, bound] of buckets.entries()) if (value <= bound) now.counts[at] = (now.counts[at] ?? 0) + 1;
            now.sum += value;
            now.count += 1;
            return now;
          }),
      };
    },
    render: () => [...families.values()].flatMap((one) => [one.head, ...one.lines()]).join('\n') + '\n',
  };
}

interface Series<T> {
  all: Map<string, T>;
  update(values: LabelValues, change: (now: T) => T): void;
}

function createSeries<T>(initial: () => T, labels: readonly string[]): Series<T> {
  const all = new Map<string, T>();
  if (labels.length === 0) all.set('', initial());
  return {
    all,
    update(values, change) {
      let key = labelText(labels, values);
      if (!all.has(key) && all.size >= mostSeries)
        key = labelText(
          labels,
          labels.map(() => 'other'),
        );
      all.set(key, change(all.get(key) ?? initial()));
    },
  };
}

function labelText(labels: readonly string[], values: LabelValues): string {
  const escape = (text: string): string =>
    text
      .replaceAll('\\', String.raw`\\`)
      .replaceAll('"', String.raw`\"`)
      .replaceAll('\n', String.raw`\n`);
  return labels.map((label, at) => `${label}="${escape(values[at] ?? '')}"`).join(',');
}

function* plainLines(name: string, series: Series<number>): Iterable<string> {
  for (const [labels, value] of series.all) yield labels === '' ? `${name} ${value}` : `${name}{${labels}} ${value}`;
}

function* histogramLines(
  name: string,
  buckets: readonly number[],
  series: Series<{ counts: number[]; sum: number; count: number }>,
): Iterable<string> {
  for (const [labels, { counts, sum, count }] of series.all) {
    const lead = labels === '' ? '' : `${labels},`;
    const own = labels === '' ? '' : `{${labels}}`;
    for (const [at, bound] of buckets.entries()) yield `${name}_bucket{${lead}le="${bound}"} ${counts[at] ?? 0}`;
    yield `${name}_bucket{${lead}le="+Inf"} ${count}`;
    yield `${name}_sum${own} ${sum}`;
    yield `${name}_count${own} ${count}`;
  }
}
