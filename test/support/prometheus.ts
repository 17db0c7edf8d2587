/** One sample of Prometheus' text format 0.0.4. */
export interface Sample {
  name: string;
  labels: Readonly<Record<string, string>>;
  value: number;
}

interface Family {
  type: string;
  samples: Sample[];
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/gy;

/**
 * Reads an exposition and checks what `promtool check metrics` checks of its syntax.
 * @throws Error naming the line that breaks it
 */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family>();
  const helped = new Set<string>();
  const seen = new Set<string>();
  for (const line of text.slice(0, -1).split('\n')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === 'HELP') {
      if (helped.has(name)) throw new Error(`a second HELP: ${line}`);
      helped.add(name);
    } else if (kind === 'TYPE') {
      if (rest === 'counter' && !name.endsWith('_total')) throw new Error(`a counter without "_total": ${line}`);
      if (families.has(name) || !/^(?:counter|gauge|histogram|summary|untyped)$/.test(rest))
        throw new Error(`a bad TYPE: ${line}`);
      families.set(name, { type: rest, samples: [] });
    } else {
      const sample = parseSample(line);
      const family = familyOf(families, sample.name);
      const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).map(String).toSorted())}`;
      if (!family || seen.has(key)) throw new Error(`a sample without its family, or twice: ${line}`);
      seen.add(key);
      family.samples.push(sample);
    }
  }
  for (const [name, family] of families) {
    if (!helped.has(name)) throw new Error(`${name} has no HELP`);
    if (family.type === 'histogram') checkHistogram(name, family.samples);
  }
  return families;
}

function parseSample(line: string): Sample {
  const [, name = '', labels = '', number = ''] = sampleLine.exec(line) ?? [];
  if (name === '') throw new Error(`not a sample: ${line}`);
  const pairs = [...labels.matchAll(label)];
  if (pairs.map((pair) => pair[0]).join('') !== labels) throw new Error(`bad labels: ${line}`);
  const value = number === '+Inf' ? Infinity : Number(number);
  if (Number.isNaN(value)) throw new Error(`not a number: ${line}`);
  return { name, value, labels: Object.fromEntries(pairs.map((pair) => [pair[1] ?? '', pair[2] ?? ''])) };
}

function familyOf(families: ReadonlyMap<string, Family>, name: string): Family | undefined {
  const base = name.replace(/_(?:bucket|sum|count)$/, '');
  const histogram = families.get(base);
  return families.get(name) ?? (histogram?.type === 'histogram' ? histogram : undefined);
}

/** Buckets only grow, the last is `+Inf`, and it is the count. */
function checkHistogram(name: string, samples: readonly Sample[]): void {
  const series = new Map<string, number[]>();
  for (const { name: own, labels, value } of samples) {
    const { le, ...rest } = labels;
    const key = JSON.stringify(rest);
    if (own === `${name}_bucket`) series.set(key, [...(series.get(key) ?? []), value]);
    else if (own === `${name}_count` && series.get(key)?.at(-1) !== value)
      throw new Error(`${own} is not its last bucket`);
    if (own === `${name}_bucket` && le === undefined) throw new Error(`a bucket of ${name} without "le"`);
  }
  for (const counts of series.values()) {
    if (counts.some((count, at) => count < (counts[at - 1] ?? 0))) throw new Error(`the buckets of ${name} fall`);
  }
}
