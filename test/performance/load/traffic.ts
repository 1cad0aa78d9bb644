import type autocannon from 'autocannon';
import type { Mix, Popularity } from './scenarios.ts';

export interface TrafficOptions {
  readonly mix: Mix;
  readonly popularity: Popularity;
  /** Users that there are: ids 1 to this. */
  readonly users: number;
  /** Part of the addresses of the users that are created, so that two runs don't meet. */
  readonly run: string;
  /** Headers of every request; without credentials among them, users are read instead of updated. */
  readonly headers: Readonly<Record<string, string>>;
  /** A number from 0 up to, but not including, 1. @default Math.random */
  readonly random?: () => number;
}

const USERS_PATH = '/api/v1/users';
/** Among skewed ids, the first x of all users get the share x^(1/3) of the reads: a tenth of them nearly half. */
const SKEW = 3;
/** Share of the reads that the one user gets. */
const HOT_SHARE = 0.95;
const PAGE_LIMIT = 20;
/** Updates choose among as many of the users that were created last. */
const CREATED_KEPT = 1_000;

/**
 * The mailbox simulator of Amazon SES, which takes every mail and counts as no receiver
 * (https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html): a load test must not send mail to people, and
 * mail to addresses that don't exist would cost the sender its reputation.
 */
const addressOf = (run: string, number: number) =>
  `success+load.${run}.${number}@simulator.amazonses.com`;

/** Headers that say who asks. */
const CREDENTIALS: readonly string[] = ['authorization', 'x-api-key'];

/** Whether somebody may be allowed to update users with these headers: only an administrator is, or a key for that. */
export function hasCredentials(headers: Readonly<Record<string, string>>): boolean {
  return CREDENTIALS.some((name) => Object.hasOwn(headers, name));
}

/** Makes one request after the other, as a mix says, and learns from the responses which users it has created. */
export class Traffic {
  readonly #options: TrafficOptions;
  readonly #random: () => number;
  readonly #mayUpdate: boolean;
  readonly #created: number[] = [];
  #count = 0;

  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#mayUpdate = hasCredentials(options.headers);
  }

  /** How many users the run has asked to create. */
  get createdCount(): number {
    return this.#count;
  }

  next(): autocannon.Request {
    const { mix } = this.#options;
    let draw = this.#random();
    if (draw < mix.create) return this.#create();
    draw -= mix.create;
    if (draw < mix.update) return this.#mayUpdate ? this.#update() : this.#read();
    draw -= mix.update;
    return draw < mix.list ? this.#list() : this.#read();
  }

  /** @param body - of a response with `status`. */
  learn(status: number, body: string): void {
    if (status !== 201) return;
    const id = /^\{"id":(\d{1,16}),/.exec(body)?.[1];
    if (id === undefined) return;
    this.#created.push(Number(id));
    if (this.#created.length > CREATED_KEPT) this.#created.shift();
  }

  #read(): autocannon.Request {
    return this.#request('GET', `${USERS_PATH}/${this.#id()}`);
  }

  #list(): autocannon.Request {
    return this.#request('GET', `${USERS_PATH}?limit=${PAGE_LIMIT}`);
  }

  #create(): autocannon.Request {
    this.#count += 1;
    const email = addressOf(this.#options.run, this.#count);
    return this.#request('POST', USERS_PATH, { name: `Load User ${this.#count}`, email });
  }

  #update(): autocannon.Request {
    const id = this.#created[Math.floor(this.#random() * this.#created.length)];
    // Until the first one is there, and never another user's.
    if (id === undefined) return this.#create();
    const name = `Load User ${Math.floor(this.#random() * 1_000_000)}`;
    return this.#request('PATCH', `${USERS_PATH}/${id}`, { name });
  }

  #id(): number {
    const { popularity, users } = this.#options;
    if (popularity === 'one' && this.#random() < HOT_SHARE) return 1;
    const draw = this.#random() ** (popularity === 'skewed' ? SKEW : 1);
    return 1 + Math.floor(draw * users);
  }

  #request(method: 'GET' | 'POST' | 'PATCH', path: string, body?: object): autocannon.Request {
    const { headers } = this.#options;
    if (body === undefined) return { method, path, headers };
    return {
      method,
      path,
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    };
  }
}
