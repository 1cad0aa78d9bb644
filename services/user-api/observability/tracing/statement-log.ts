import type { Logger as StatementLogger } from 'drizzle-orm/logger';
import { currentSpan } from '../../../contracts/tracing/trace-context.ts';

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
 * Tells the span of a query what its statement is, just before it is sent. drizzle-orm calls it in any case, so that it costs nothing but
 * the look for a span. The statement has placeholders where values are; its parameters, which may be of persons, are left out.
 */
export const statementLog: StatementLogger = {
  logQuery(statement) {
    const span = currentSpan();
    if (span === undefined) return;
    span.set('db.query.text', statement);
    const summary = statementSummary(statement);
    if (summary === null) return;
    span.set('db.query.summary', summary);
    span.rename(summary);
  },
};
