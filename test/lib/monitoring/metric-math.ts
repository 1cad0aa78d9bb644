/**
 * The part of CloudWatch's metric math that the alarms and dashboards use, so that tests can tell what an expression gives for sample
 * data. It follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html and refuses what it does not
 * know.
 */

/** Values at equal distances in time, oldest first; undefined where there is none. */
export type Series = readonly (number | undefined)[];
type Value = number | Series | readonly Series[];

type Node =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'array'; readonly items: readonly Node[] }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly Node[] }
  | {
      readonly kind: 'operation';
      readonly operator: Operator;
      readonly left: Node;
      readonly right: Node;
    };

const operators = {
  '+': (left: number, right: number) => left + right,
  '-': (left: number, right: number) => left - right,
  '*': (left: number, right: number) => left * right,
  '/': (left: number, right: number) => left / right,
  '>=': (left: number, right: number) => Number(left >= right),
  '<=': (left: number, right: number) => Number(left <= right),
  '>': (left: number, right: number) => Number(left > right),
  '<': (left: number, right: number) => Number(left < right),
} as const;
type Operator = keyof typeof operators;

/** Operators by how tightly they bind, loosest first. */
const levels: readonly (readonly Operator[])[] = [
  ['>=', '<=', '>', '<'],
  ['+', '-'],
  ['*', '/'],
];
const TOKEN = /\s*(\d+(?:\.\d+)?|[A-Za-z]\w*|>=|<=|[-+*/()[\],<>])/y;

function tokenise(expression: string): readonly string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < expression.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(expression)?.[1];
    if (token === undefined) {
      throw new Error(`Metric math has no "${expression.slice(at).trim()}" here: ${expression}`);
    }
    tokens.push(token);
  }
  return tokens;
}

/** Reads an expression into a tree. */
class Parser {
  private readonly tokens: readonly string[];
  private position = 0;

  constructor(expression: string) {
    this.tokens = tokenise(expression);
  }

  parse(): Node {
    const node = this.operation(0);
    if (this.next !== undefined) throw new Error(`Metric math ends before "${this.next}".`);
    return node;
  }

  private get next(): string | undefined {
    return this.tokens[this.position];
  }

  private take(expected: string): void {
    if (this.next !== expected) throw new Error(`It takes "${expected}", not "${this.next}".`);
    this.position += 1;
  }

  private operation(level: number): Node {
    const own = levels[level];
    if (own === undefined) return this.term();
    let left = this.operation(level + 1);
    for (;;) {
      const operator = own.find((candidate) => candidate === this.next);
      if (operator === undefined) return left;
      this.position += 1;
      left = { kind: 'operation', operator, left, right: this.operation(level + 1) };
    }
  }

  private list(end: string): readonly Node[] {
    const items = [this.operation(0)];
    while (this.next === ',') {
      this.take(',');
      items.push(this.operation(0));
    }
    this.take(end);
    return items;
  }

  private term(): Node {
    const token = this.next;
    this.position += 1;
    if (token === undefined) throw new Error('Metric math ends too early.');
    if (/^\d/.test(token)) return { kind: 'number', value: Number(token) };
    if (token === '(') {
      const inner = this.operation(0);
      this.take(')');
      return inner;
    }
    if (token === '[') return { kind: 'array', items: this.list(']') };
    if (!/^[A-Za-z]/.test(token)) throw new Error(`Metric math has no "${token}" here.`);
    if (this.next !== '(') return { kind: 'name', name: token };
    this.take('(');
    return { kind: 'call', name: token, arguments: this.list(')') };
  }
}

const isNumber = (value: Value | undefined): value is number => typeof value === 'number';
const isSeries = (value: Value | undefined): value is Series =>
  Array.isArray(value) && !value.some(Array.isArray);

/** `value` at one point in time: a number is the same at all of them. */
const at = (value: number | Series, index: number): number | undefined =>
  isNumber(value) ? value : value[index];

function single(value: Value | undefined, name: string): number | Series {
  if (isNumber(value) || isSeries(value)) return value;
  throw new Error(`${name} takes a number or a time series.`);
}

/** Applies `combine` wherever all have a value; elsewhere the result has none. */
function zip(
  length: number,
  values: readonly (number | Series)[],
  combine: (...numbers: number[]) => number,
): Series {
  return Array.from({ length }, (_, index) => {
    const numbers = values.map((value) => at(value, index));
    const present = numbers.filter((number) => number !== undefined);
    return present.length === numbers.length ? combine(...present) : undefined;
  });
}

/** Of several series, at each time what `combine` makes of those that have a value there. */
function across(
  length: number,
  value: Value | undefined,
  name: string,
  combine: (numbers: readonly number[]) => number,
): Series {
  if (value === undefined || isNumber(value) || isSeries(value)) {
    throw new Error(`${name} is known here only of an array: ${name}([a, b]).`);
  }
  return Array.from({ length }, (_, index) => {
    const present = value.map((series) => series[index]).filter((number) => number !== undefined);
    return present.length === 0 ? undefined : combine(present);
  });
}

function differences(series: Series): Series {
  let previous: number | undefined;
  return series.map((value) => {
    const difference = value === undefined || previous === undefined ? undefined : value - previous;
    previous = value ?? previous;
    return difference;
  });
}

function call(name: string, values: readonly Value[], length: number): Value {
  const [first, second, third] = values;
  switch (name) {
    case 'FILL': {
      const filler = single(second, name);
      const series = single(first, name);
      return Array.from({ length }, (_, index) => at(series, index) ?? at(filler, index));
    }
    case 'IF': {
      const condition = single(first, name);
      const [yes, no] = [single(second, name), single(third, name)];
      return Array.from({ length }, (_, index) => {
        const chosen = at(condition, index);
        return chosen === undefined ? undefined : at(chosen === 0 ? no : yes, index);
      });
    }
    case 'ABS':
      return zip(length, [single(first, name)], Math.abs);
    case 'DIFF': {
      const series = single(first, name);
      if (isNumber(series)) throw new Error('DIFF takes a time series.');
      return differences(series);
    }
    case 'MAX':
      return across(length, first, name, (numbers) => Math.max(...numbers));
    case 'SUM':
      return across(length, first, name, (numbers) => numbers.reduce((sum, one) => sum + one, 0));
    default:
      throw new Error(`Metric math's ${name} is not known to this evaluator.`);
  }
}

function evaluateNode(node: Node, series: ReadonlyMap<string, Series>, length: number): Value {
  const inner = (child: Node) => evaluateNode(child, series, length);
  switch (node.kind) {
    case 'number':
      return node.value;
    case 'name': {
      const found = series.get(node.name);
      if (found === undefined) throw new Error(`There is no metric "${node.name}".`);
      return found;
    }
    case 'array':
      return node.items.map((item) => {
        const value = single(inner(item), 'An array');
        return isNumber(value) ? Array.from({ length }, () => value) : value;
      });
    case 'operation':
      return zip(
        length,
        [single(inner(node.left), node.operator), single(inner(node.right), node.operator)],
        operators[node.operator],
      );
    case 'call':
      return call(node.name, node.arguments.map(inner), length);
  }
}

/**
 * What `expression` gives for the series that it names, all of `length` values.
 *
 * @throws Error for what is not metric math, and for functions that nothing here uses yet.
 */
export function evaluateMetricMath(
  expression: string,
  series: ReadonlyMap<string, Series>,
  length: number,
): Series {
  const value = single(evaluateNode(new Parser(expression).parse(), series, length), 'An alarm');
  return isNumber(value) ? Array.from({ length }, () => value) : value;
}

/** Names of the metrics in an expression. */
export function namesIn(expression: string): readonly string[] {
  return [...expression.matchAll(/\b[a-z]\w*\b/g)].map(([name]) => name);
}
