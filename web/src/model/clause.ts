/** One row of a filter, and how rows become an expression and an expression rows. */
import { type Literal, type PropertyRef, type Tree, literalText, parseExpression, propertyText, quote } from './expression';

export type Operator =
  | 'is'
  | 'is_not'
  | 'contains'
  | 'not_contains'
  | 'equals'
  | 'not_equals'
  | 'greater'
  | 'at_least'
  | 'less'
  | 'at_most'
  | 'is_true'
  | 'is_false'
  | 'set'
  | 'not_set';

export interface Clause {
  property: PropertyRef;
  operator: Operator;
  values: Literal[];
}

export const OPERATOR_LABELS: Record<Operator, string> = {
  is: 'is',
  is_not: 'is not',
  contains: 'contains',
  not_contains: 'does not contain',
  equals: '=',
  not_equals: '≠',
  greater: '>',
  at_least: '≥',
  less: '<',
  at_most: '≤',
  is_true: 'is true',
  is_false: 'is false',
  set: 'is set',
  not_set: 'is not set',
};

const COMPARISON: Partial<Record<Operator, string>> = {
  equals: '==',
  not_equals: '!=',
  greater: '>',
  at_least: '>=',
  less: '<',
  at_most: '<=',
};

/** The operators that make sense for the kinds of value a property has been seen with. */
export function operatorsFor(kinds: readonly string[]): Operator[] {
  // Whether somebody is in a cohort is always known.
  if (kinds.length === 1 && kinds[0] === 'member') return ['is_true', 'is_false'];
  const text: Operator[] = ['is', 'is_not', 'contains', 'not_contains'];
  const number: Operator[] = ['equals', 'not_equals', 'greater', 'at_least', 'less', 'at_most'];
  const flag: Operator[] = ['is_true', 'is_false'];
  const has = (kind: string) => kinds.includes(kind);
  const chosen = [...(has('number') ? number : []), ...(has('bool') ? flag : [])];
  if (chosen.length === 0 || kinds.some((kind) => kind !== 'number' && kind !== 'bool')) chosen.unshift(...text);
  return [...chosen, 'set', 'not_set'];
}

export type ValueShape = 'none' | 'many' | 'text' | 'number';

/** What kind of value the row asks for. */
export function valueShape(operator: Operator): ValueShape {
  if (operator === 'is' || operator === 'is_not') return 'many';
  if (operator === 'contains' || operator === 'not_contains') return 'text';
  return operator in COMPARISON ? 'number' : 'none';
}

/** Whether the row says enough to be asked. */
export function isComplete(clause: Clause): boolean {
  const shape = valueShape(clause.operator);
  if (shape === 'none') return true;
  const [first] = clause.values;
  if (shape === 'number') return typeof first === 'number' && Number.isFinite(first);
  return first !== undefined && first !== '';
}

function clauseText({ property, operator, values }: Clause): string {
  const name = propertyText(property);
  const first = values[0] ?? '';
  switch (operator) {
    case 'is':
      return values.length === 1 ? `${name} == ${literalText(first)}` : `${name} in ${literalText(values)}`;
    case 'is_not':
      return values.length === 1 ? `${name} != ${literalText(first)}` : `not (${name} in ${literalText(values)})`;
    case 'contains':
      return `${quote(String(first))} in ${name}`;
    case 'not_contains':
      return `not (${quote(String(first))} in ${name})`;
    case 'is_true':
      return `${name} == true`;
    case 'is_false':
      return `${name} == false`;
    case 'set':
      return `defined(${name})`;
    case 'not_set':
      return `not (defined(${name}))`;
    default:
      return `${name} ${COMPARISON[operator] ?? '=='} ${literalText(first)}`;
  }
}

/** The expression of all complete rows; `undefined` when there is none. */
export function textOf(clauses: readonly Clause[]): string | undefined {
  const parts = clauses.filter(isComplete).map(clauseText);
  if (parts.length === 0) return undefined;
  return parts.length === 1 ? parts[0] : parts.map((part) => `(${part})`).join(' and ');
}

/** The rows of an expression; `null` when rows cannot say it. */
export function clausesOf(expression: unknown): Clause[] | null {
  if (expression === undefined || expression === null || expression === '') return [];
  const tree = typeof expression === 'string' ? parseExpression(expression) : null;
  return tree && rows(tree);
}

function rows(tree: Tree): Clause[] | null {
  if (tree.kind === 'binary' && tree.op === 'and') {
    const left = rows(tree.left);
    const right = rows(tree.right);
    return left && right && [...left, ...right];
  }
  const row = tree.kind === 'not' ? negated(tree.inner) : plain(tree);
  return row && [row];
}

function plain(tree: Tree): Clause | null {
  if (tree.kind === 'call') {
    const [property] = tree.arguments;
    return tree.name === 'defined' && property?.kind === 'property' ? row(property, 'set', []) : null;
  }
  if (tree.kind !== 'binary') return null;
  const { op, left, right } = tree;
  if (left.kind === 'literal' && right.kind === 'property') {
    return op === 'in' && typeof left.value === 'string' ? row(right, 'contains', [left.value]) : null;
  }
  if (left.kind !== 'property' || right.kind !== 'literal') return null;
  if (op === 'in') return Array.isArray(right.value) ? row(left, 'is', right.value) : null;
  return compared(left, op, right.value);
}

function compared(property: PropertyRef, op: string, value: Literal): Clause | null {
  if (typeof value === 'number') {
    const operator = (Object.keys(COMPARISON) as Operator[]).find((name) => COMPARISON[name] === op);
    return operator ? row(property, operator, [value]) : null;
  }
  if (typeof value === 'boolean') {
    return op === '==' ? row(property, value ? 'is_true' : 'is_false', []) : null;
  }
  if (op === '==') return row(property, 'is', [value]);
  return op === '!=' ? row(property, 'is_not', [value]) : null;
}

function negated(inner: Tree): Clause | null {
  const clause = plain(inner);
  const opposite: Partial<Record<Operator, Operator>> = { is: 'is_not', contains: 'not_contains', set: 'not_set' };
  const operator = clause && opposite[clause.operator];
  return operator ? { ...clause, operator } : null;
}

function row(property: PropertyRef, operator: Operator, values: Literal[]): Clause {
  return { property: { scope: property.scope, name: property.name }, operator, values };
}
