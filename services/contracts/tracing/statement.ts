import type { Sql } from 'postgres';
import { currentSpan } from './trace-context.ts';

/** The first thing that a statement does to a table, past what it begins with (`with … as (`). */
const OPERATION =
  /\b(?:(insert) into|(update)|(delete) from|(select)\b[\s\S]*?\bfrom)\s+"?([a-z_]\w*)"?/i;

/** What a statement does, in few words, such as `INSERT users`; null where that cannot be seen. */
export function statementSummary(statement: string): string | null {
  const [, ...found] = OPERATION.exec(statement) ?? [];
  const table = found.pop();
  const operation = found.find((word) => word !== undefined);
  return table === undefined || operation === undefined
    ? null
    : `${operation.toUpperCase()} ${table}`;
}

/**
 * Tells the span that the running code is part of, a query's, what its statement is.
 *
 * @param statement - with placeholders where values are: values may be of persons.
 */
export function describeStatement(statement: string): void {
  const span = currentSpan();
  if (span === undefined) return;
  span.set('db.query.text', statement);
  const summary = statementSummary(statement);
  if (summary === null) return;
  span.set('db.query.summary', summary);
  span.rename(summary);
}

const isTemplate = (value: unknown): value is TemplateStringsArray =>
  Array.isArray(value) && 'raw' in value;

/**
 * A client of postgres.js that tells spans of the statements written with it as templates. postgres.js itself tells of a statement
 * only when it sends it, which may be when another one's answer comes, in that one's trace.
 */
export function describingStatements<Client extends Sql>(sql: Client): Client {
  return new Proxy(sql, {
    apply(target, self, parameters) {
      const [first] = parameters;
      // Of a statement with fragments in it, the fragments come first, and the whole last.
      if (isTemplate(first) && currentSpan() !== undefined) {
        describeStatement(first.reduce((text, part, index) => `${text}$${index}${part}`));
      }
      return Reflect.apply(target, self, parameters);
    },
  });
}
