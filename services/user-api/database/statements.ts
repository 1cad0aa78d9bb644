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

/** The state of postgres.js' `Query`, which its types leave out. */
interface DriverQuery extends Promise<unknown> {
  /** Whether it was handed to the client; fragments of other statements never are. */
  readonly executed: boolean;
  /** The connection that it was sent on; null before. */
  readonly state: object | null;
  readonly canceller: ((query: DriverQuery) => Promise<void>) | null;
}

const isQuery = (value: unknown): value is DriverQuery =>
  value instanceof Promise && 'executed' in value && 'canceller' in value;

/** The statements of one query of the application. */
export class SentStatements {
  readonly #queries: DriverQuery[] = [];

  add(query: DriverQuery): void {
    this.#queries.push(query);
  }

  /** Whether any of them was sent. */
  get wereSent(): boolean {
    return this.#queries.some(({ state }) => state !== null);
  }

  /**
   * Cancels them: unsent statements are never sent, and for sent ones the server gets a cancel request. Both fail with SQLSTATE 57014, unless
   * they finish before.
   */
  cancel(): void {
    for (const query of this.#queries) {
      // Not query.cancel(): its promise is rejected, unhandled, when the server cannot be reached.
      if (query.executed) query.canceller?.(query).catch(() => {});
    }
  }
}

/** Records the statements that are made with a client. */
export class StatementObserver {
  #current: SentStatements | null = null;

  /** Observes all statements of `client`, transactions included; of a transaction, its BEGIN. */
  observe<Client extends Sql>(client: Client): Client {
    const add = <Value>(value: Value): Value => {
      if (this.#current !== null && isQuery(value)) this.#current.add(value);
      return value;
    };
    const unsafe = client.unsafe.bind(client);
    Object.assign(client, {
      unsafe: (...parameters: Parameters<Sql['unsafe']>) => add(unsafe(...parameters)),
    });
    return new Proxy(client, {
      apply: (target, self, parameters) => add(Reflect.apply(target, self, parameters)),
    });
  }

  /** Runs `query`, which makes its statements before its first await. */
  collect<Result>(query: () => Promise<Result>): {
    readonly statements: SentStatements;
    readonly response: Promise<Result>;
  } {
    const statements = new SentStatements();
    this.#current = statements;
    try {
      return { statements, response: query() };
    } catch (error) {
      return { statements, response: Promise.reject(error) };
    } finally {
      this.#current = null;
    }
  }
}
