import type { ObservedRedis } from '../redis/observed-redis.ts';

/** What takes the answer to a question; undefined when there was none. */
export type Settle<Reply> = (response: Reply | undefined) => void;

export interface CommandBatchOptions<Question, Reply> {
  /** Most questions in one command. */
  readonly maximum: number;
  /**
   * Sends one command for all questions. It must not fail.
   *
   * @returns an answer to each, in their order; undefined when there was none.
   */
  readonly ask: (questions: readonly Question[]) => Promise<readonly Reply[] | undefined>;
}

/**
 * Makes one command of what is asked in one turn of the event loop, because the client's work for a command is the dearest part of asking. It goes out
 * with all other commands of that turn.
 *
 * DataLoader does the like, with a promise for each question. Who asks gets a call here, because reads are what a process does most, and what is not
 * made need not be collected.
 */
export class CommandBatch<Question, Reply> {
  readonly #redis: ObservedRedis;
  readonly #options: CommandBatchOptions<Question, Reply>;
  #questions: Question[] = [];
  #settles: Settle<Reply>[] = [];

  constructor(redis: ObservedRedis, options: CommandBatchOptions<Question, Reply>) {
    this.#redis = redis;
    this.#options = options;
  }

  /** @param settle - called once, later, and outside of any trace. It must not throw. */
  add(question: Question, settle: Settle<Reply>): void {
    const count = this.#questions.push(question);
    this.#settles.push(settle);
    if (count === 1) this.#redis.beforeSending(this.#askAll);
    if (count === this.#options.maximum) this.#askAll();
  }

  readonly #askAll = (): void => {
    if (this.#questions.length === 0) return;
    const settles = this.#settles;
    const asked = this.#options.ask(this.#questions);
    this.#questions = [];
    this.#settles = [];
    void asked.then((responses) => {
      settles.forEach((settle, index) => {
        settle(responses?.[index]);
      });
    });
  };
}
