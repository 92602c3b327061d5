/**
 * The text form of filters and breakdowns: reading it into a tree and quoting into it.
 *
 * The server owns the language; this reads just as much as is needed to show a stored filter as rows again. A text
 * that it cannot read stays what it is and is shown as text.
 */

/** `cohort` and `computed` are what the project saved: a cohort by number, a formula by name. */
export type Scope = 'properties' | 'user' | 'event' | 'cohort' | 'computed';
export type Literal = string | number | boolean | Literal[];
export type Tree =
  | { kind: 'property'; scope: Scope; name: string }
  | { kind: 'literal'; value: Literal }
  | { kind: 'not'; inner: Tree }
  | { kind: 'call'; name: string; arguments: Tree[] }
  | { kind: 'binary'; op: string; left: Tree; right: Tree };

export interface PropertyRef {
  scope: Scope;
  name: string;
}

export function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

export function propertyText(property: PropertyRef): string {
  if (property.scope === 'cohort') return `cohort(${property.name})`;
  return `${property.scope}[${quote(property.name)}]`;
}

export function literalText(value: Literal): string {
  if (Array.isArray(value)) return `[${value.map(literalText).join(', ')}]`;
  return typeof value === 'string' ? quote(value) : String(value);
}

/** The property that a breakdown is, if it is one and nothing more. */
export function propertyOf(expression: unknown): PropertyRef | null {
  const tree = typeof expression === 'string' ? parseExpression(expression) : null;
  return tree?.kind === 'property' ? { scope: tree.scope, name: tree.name } : null;
}

type Token = { type: 'word' | 'string' | 'symbol'; text: string } | { type: 'number'; value: number };

const TOKEN = /\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|([\p{L}_$][\p{L}\d_.$]*)|(==|!=|<=|>=|[<>=+\-*/%()[\],]))/uy;

function tokenize(text: string): Token[] | null {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const found = TOKEN.exec(text);
    if (!found) return null;
    const [, double, single, number, word, symbol] = found;
    const string = double ?? single;
    if (string !== undefined) tokens.push({ type: 'string', text: string.replace(/\\(.)/g, '$1') });
    else if (number !== undefined) tokens.push({ type: 'number', value: Number(number) });
    else if (word !== undefined) tokens.push({ type: 'word', text: word });
    else tokens.push({ type: 'symbol', text: symbol === '=' ? '==' : (symbol ?? '') });
  }
  return tokens;
}

export function parseExpression(text: string): Tree | null {
  const tokens = tokenize(text);
  if (!tokens || tokens.length === 0) return null;
  const parser = new Parser(tokens);
  const tree = parser.or();
  return tree && parser.done ? tree : null;
}

const COMPARISONS = ['==', '!=', '<', '<=', '>', '>='];

/** Precedence, lowest first: `or`, `and`, `not`, comparison. Arithmetic is not read: rows cannot show it. */
class Parser {
  private next = 0;

  constructor(private readonly tokens: Token[]) {}

  get done(): boolean {
    return this.next === this.tokens.length;
  }

  or(): Tree | null {
    return this.chain('or', () => this.and());
  }

  private and(): Tree | null {
    return this.chain('and', () => this.not());
  }

  private chain(op: string, operand: () => Tree | null): Tree | null {
    let left = operand();
    while (left && this.word(op)) {
      const right = operand();
      left = right && { kind: 'binary', op, left, right };
    }
    return left;
  }

  private not(): Tree | null {
    if (!this.word('not')) return this.comparison();
    const inner = this.not();
    return inner && { kind: 'not', inner };
  }

  private comparison(): Tree | null {
    const left = this.primary();
    if (!left) return null;
    const op = COMPARISONS.find((symbol) => this.symbol(symbol)) ?? (this.word('in') ? 'in' : undefined);
    if (op === undefined) return left;
    const right = this.primary();
    return right && { kind: 'binary', op, left, right };
  }

  private primary(): Tree | null {
    const token = this.tokens[this.next++];
    if (!token) return null;
    if (token.type === 'number') return { kind: 'literal', value: token.value };
    if (token.type === 'string') return { kind: 'literal', value: token.text };
    if (token.type === 'word') return this.named(token.text);
    if (token.text === '(') {
      const inner = this.or();
      return inner && this.symbol(')') ? inner : null;
    }
    if (token.text === '-') {
      const operand = this.primary();
      return operand?.kind === 'literal' && typeof operand.value === 'number'
        ? { kind: 'literal', value: -operand.value }
        : null;
    }
    return token.text === '[' ? this.list() : null;
  }

  private list(): Tree | null {
    const value: Literal[] = [];
    while (!this.symbol(']')) {
      const item = this.primary();
      if (item?.kind !== 'literal') return null;
      value.push(item.value);
      if (!this.symbol(',') && !this.peek(']')) return null;
    }
    return { kind: 'literal', value };
  }

  private named(word: string): Tree | null {
    const lower = word.toLowerCase();
    if (lower === 'true' || lower === 'false') return { kind: 'literal', value: lower === 'true' };
    if (this.symbol('[')) {
      const name = this.tokens[this.next++];
      const known = lower === 'properties' || lower === 'user' || lower === 'event' || lower === 'computed';
      if (!known || name?.type !== 'string' || !this.symbol(']')) return null;
      return { kind: 'property', scope: lower, name: name.text };
    }
    if (this.symbol('(')) {
      const inner = this.or();
      if (!inner || !this.symbol(')')) return null;
      if (lower === 'cohort') {
        return inner.kind === 'literal' ? { kind: 'property', scope: 'cohort', name: String(inner.value) } : null;
      }
      return { kind: 'call', name: lower, arguments: [inner] };
    }
    return this.tokens.length === 1 ? { kind: 'property', scope: 'properties', name: word } : null;
  }

  private peek(text: string): boolean {
    const token = this.tokens[this.next];
    return token?.type === 'symbol' && token.text === text;
  }

  private symbol(text: string): boolean {
    if (!this.peek(text)) return false;
    this.next += 1;
    return true;
  }

  private word(text: string): boolean {
    const token = this.tokens[this.next];
    if (token?.type !== 'word' || token.text.toLowerCase() !== text) return false;
    this.next += 1;
    return true;
  }
}
