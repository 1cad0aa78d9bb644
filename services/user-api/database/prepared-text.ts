import type { Row, Sql } from 'postgres';
import { describeStatement } from '../../contracts/tracing/statement.ts';

/** A statement as a text, and the values in it. */
export interface PreparedText {
  /** With `$1`, `$2` … where values are; never with a value in it. */
  readonly text: string;
  /** At least one: postgres.js sends what has none without preparing it. */
  readonly parameters: readonly (string | number | boolean | null)[];
}

/** Runs a statement that is a text already, prepared once for each connection as templates are. */
export function runPrepared<Found extends Row>(client: Sql, { parameters, text }: PreparedText) {
  describeStatement(text);
  return client.unsafe<Found[]>(text, [...parameters], { prepare: true });
}
