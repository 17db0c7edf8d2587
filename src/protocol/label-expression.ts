import * as v from 'valibot';

/** One condition on the labels of a node; all of an expression's conditions must hold. */
export type LabelCondition =
  | { key: string; is: 'in' | 'notin'; values: readonly string[] }
  | { key: string; is: 'present' | 'absent' };

const key = /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$/;

/**
 * Reads `gpu in (a100, h100), rack!=4, !slow, zone=a, fast`; answers what is wrong with it as text.
 */
export function parseLabelExpression(text: string): readonly LabelCondition[] | string {
  const conditions: LabelCondition[] = [];
  for (const part of splitOutsideBrackets(text)) {
    const condition = parseCondition(part.trim());
    if (typeof condition === 'string') return condition;
    conditions.push(condition);
  }
  return conditions;
}

function splitOutsideBrackets(text: string): string[] {
  return text.split(/,(?![^(]*\))/);
}

function parseCondition(text: string): LabelCondition | string {
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(text);
  if (set) return listed(set[1] ?? '', set[2] === 'in' ? 'in' : 'notin', set[3] ?? '');
  const equal = /^([^=!\s]+)\s*(!=|==?)\s*([^=!]*)$/.exec(text);
  if (equal) return listed(equal[1] ?? '', equal[2] === '!=' ? 'notin' : 'in', equal[3] ?? '');
  const absent = text.startsWith('!');
  const name = absent ? text.slice(1).trim() : text;
  if (key.test(name)) return { key: name, is: absent ? 'absent' : 'present' };
  return `"${text}" is not a condition such as "rack=4", "rack!=4", "gpu in (a100,h100)", "fast" or "!slow"`;
}

function listed(name: string, is: 'in' | 'notin', values: string): LabelCondition | string {
  if (!key.test(name)) return `"${name}" is not the key of a label`;
  return { key: name, is, values: values.split(',').map((value) => value.trim()) };
}

/** What of an expression a node's labels do not meet, as text; empty when all is met. */
export function unmetConditions(
  conditions: readonly LabelCondition[],
  labels: Readonly<Record<string, string>>,
): string[] {
  return conditions.filter((condition) => !meets(condition, labels)).map(conditionText);
}

function meets(condition: LabelCondition, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, condition.key) ? labels[condition.key] : undefined;
  switch (condition.is) {
    case 'present':
      return value !== undefined;
    case 'absent':
      return value === undefined;
    case 'in':
      return value !== undefined && condition.values.includes(value);
    case 'notin':
      return value === undefined || !condition.values.includes(value);
  }
}

export function conditionText(condition: LabelCondition): string {
  switch (condition.is) {
    case 'present':
      return condition.key;
    case 'absent':
      return `!${condition.key}`;
    case 'in':
    case 'notin':
      return condition.values.length === 1
        ? `${condition.key}${condition.is === 'in' ? '=' : '!='}${condition.values[0] ?? ''}`
        : `${condition.key} ${condition.is} (${condition.values.join(',')})`;
  }
}

export const labelExpression = v.pipe(
  v.string(),
  v.maxLength(1000, 'at most 1,000 characters'),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const parsed = parseLabelExpression(dataset.value);
    if (typeof parsed === 'string') addIssue({ message: parsed });
  }),
  v.description('Conditions on the labels of nodes, all of which must hold: `gpu in (a100,h100), rack!=4, !slow`.'),
);
