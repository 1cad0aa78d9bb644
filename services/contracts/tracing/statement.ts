import type { Sql } from 'postgres';
import { currentSpan } from './trace-context.ts';

/** The first operation of a statement on a table, after `with … as (`. */
const OPERATION =
  /\b(?:(insert) into|(update)|(delete) from|(select)\b[\s\S]*?\bfrom)\s+"?([a-z_]\w*)"?/i;

/** A summary of a statement, such as `INSERT users`; null for unknown ones. */
export function statementSummary(statement: string): string | null {
  const [, ...found] = OPERATION.exec(statement) ?? [];
  const table = found.pop();
  const operation = found.find((word) => word !== undefined);
  return table === undefined || operation === undefined
    ? null
    : `${operation.toUpperCase()} ${table}`;
}

/**
 * Adds the statement to the current span, that of a query.
 *
 * @param statement - with placeholders: values may be personal data.
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
 * A client of postgres.js that adds its templates to spans. postgres.js' own hook runs when a statement is sent, which may be in the trace of another.
 */
export function describingStatements<Client extends Sql>(sql: Client): Client {
  return new Proxy(sql, {
    apply(target, self, parameters) {
      const [first] = parameters;
      // Fragments come before the statement that contains them.
      if (isTemplate(first) && currentSpan() !== undefined) {
        describeStatement(first.reduce((text, part, index) => `${text}$${index}${part}`));
      }
      return Reflect.apply(target, self, parameters);
    },
  });
}
