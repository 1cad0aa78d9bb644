import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { currentScope, ScopeEnded } from '../../../contracts/changes/change-scope.ts';
import { ConcurrencyLimiter, NoSlot } from '../../../contracts/concurrency/concurrency-limiter.ts';
import { UNKNOWN_ADDRESS } from '../../client-address/client-address.ts';
import { AccessError } from '../errors.ts';

const deriveKey = promisify(argon2);

/** What one hash costs. */
export interface Argon2idCost {
  readonly memoryKibibytes: number;
  readonly passes: number;
  readonly parallelism: number;
}

/**
 * What new hashes cost: the least that OWASP's Password Storage Cheat Sheet takes for Argon2id, 28 ms of one core on the
 * machine this was written on. Its five settings are of equal strength; this one moves the least memory but two. Raise it
 * here: older hashes go on to be verified at their own cost, and are recreated at their owner's next login.
 * https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
 */
export const ARGON2ID_COST: Argon2idCost = { memoryKibibytes: 19_456, passes: 2, parallelism: 1 };

/** 128 bits of salt and 256 bits of tag, as RFC 9106, 4 recommends. */
const SALT_BYTES = 16;
const TAG_BYTES = 32;
/** Version 1.3 of Argon2, the one of RFC 9106. */
const ARGON2_VERSION = 19;
/** A stored hash that asks for more than these is damaged: nobody is to be kept from logging in by an allocation of terabytes. */
const COST_MAXIMUM: Argon2idCost = { memoryKibibytes: 1_048_576, passes: 64, parallelism: 64 };

/** `$argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<tag>`, base64 without padding. */
const PHC_STRING =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{22,86})$/;

/** A stored hash cannot be read: it is damaged, or something else than Argon2id made it. */
export class MalformedPasswordHash extends Error {
  override readonly name = 'MalformedPasswordHash';
}

interface DecodedHash {
  readonly cost: Argon2idCost;
  readonly salt: Buffer;
  readonly tag: Buffer;
}

const unpadded = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');

/** In the PHC string format (https://github.com/P-H-C/phc-string-format), which says all that verifying takes. */
function encode({ cost, salt, tag }: DecodedHash): string {
  const { memoryKibibytes, passes, parallelism } = cost;
  const parameters = `m=${memoryKibibytes},t=${passes},p=${parallelism}`;
  return `$argon2id$v=${ARGON2_VERSION}$${parameters}$${unpadded(salt)}$${unpadded(tag)}`;
}

function decode(encoded: string): DecodedHash {
  const [, memory, passes, parallelism, salt, tag] = PHC_STRING.exec(encoded) ?? [];
  const cost: Argon2idCost = {
    memoryKibibytes: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
  };
  const isWithin =
    cost.memoryKibibytes >= 8 * cost.parallelism &&
    cost.memoryKibibytes <= COST_MAXIMUM.memoryKibibytes &&
    cost.passes >= 1 &&
    cost.passes <= COST_MAXIMUM.passes &&
    cost.parallelism >= 1 &&
    cost.parallelism <= COST_MAXIMUM.parallelism;
  if (salt === undefined || tag === undefined || !isWithin) {
    // Not a word of what it holds: this goes into logs.
    throw new MalformedPasswordHash('The stored password hash is not a PHC string of Argon2id');
  }
  return { cost, salt: Buffer.from(salt, 'base64'), tag: Buffer.from(tag, 'base64') };
}

async function derive(password: string, decoded: DecodedHash): Promise<Buffer> {
  const parameters: Argon2Parameters = {
    // The same characters typed on another keyboard may be composed of other code points: NIST SP 800-63B-4, 3.1.1.2.
    message: Buffer.from(password.normalize('NFC')),
    nonce: decoded.salt,
    memory: decoded.cost.memoryKibibytes,
    passes: decoded.cost.passes,
    parallelism: decoded.cost.parallelism,
    tagLength: decoded.tag.length,
  };
  return await deriveKey('argon2id', parameters);
}

/**
 * Hashes `password` with a new salt, on the thread pool.
 *
 * @returns a PHC string.
 */
export async function hashArgon2id(password: string, cost: Argon2idCost): Promise<string> {
  const blank = { cost, salt: randomBytes(SALT_BYTES), tag: Buffer.alloc(TAG_BYTES) };
  return encode({ ...blank, tag: await derive(password, blank) });
}

/**
 * Whether `password` is the one that `encoded` was made of; takes the same time either way.
 *
 * @throws {@link MalformedPasswordHash}
 */
export async function verifyArgon2id(password: string, encoded: string): Promise<boolean> {
  const decoded = decode(encoded);
  return timingSafeEqual(await derive(password, decoded), decoded.tag);
}

/** Whether `encoded` cost something else than new hashes do. */
export function costsOtherwise(encoded: string, cost: Argon2idCost): boolean {
  const found = decode(encoded).cost;
  return (
    found.memoryKibibytes !== cost.memoryKibibytes ||
    found.passes !== cost.passes ||
    found.parallelism !== cost.parallelism
  );
}

/** A hash of nothing that anybody could type, which costs as much to verify as a real one. */
export function unmatchableArgon2id(cost: Argon2idCost): string {
  return encode({ cost, salt: randomBytes(SALT_BYTES), tag: randomBytes(TAG_BYTES) });
}

/**
 * Most hashes at once. libuv has 4 threads unless UV_THREADPOOL_SIZE says otherwise, and DNS, files and the verifying of
 * tokens need some; and half of the cores, so that the event loop is not crowded out of its own.
 */
const CONCURRENCY_MAXIMUM = 2;
export const defaultPasswordConcurrency = (cores: number = availableParallelism()): number =>
  Math.min(CONCURRENCY_MAXIMUM, Math.max(1, Math.floor(cores / 2)));
/** Waits of about a second at most: 32 hashes of some 30 ms, one after the other. */
const MAXIMUM_WAITING = 32;
const RETRY_AFTER_SECONDS = 1;

export interface PasswordHasherOptions {
  /** What a new hash costs. @default ARGON2ID_COST */
  readonly cost?: Argon2idCost;
  /** Most hashes at once. @default half of the cores, at least 1 and at most 2 */
  readonly concurrency?: number | undefined;
  /** Most hashes that wait. @default 32 */
  readonly maximumWaiting?: number;
}

export interface PasswordVerdict {
  readonly matches: boolean;
  /** The password matched a hash of another cost than new ones have: make a new one while the password is at hand. */
  readonly isOutdated: boolean;
}

/** Hashes and verifies passwords, a bounded number at once: a storm of logins must not starve everything else. */
export class PasswordHasher {
  readonly #cost: Argon2idCost;
  readonly #slots: ConcurrencyLimiter;
  readonly #unmatchable: string;

  constructor(options: PasswordHasherOptions = {}) {
    this.#cost = options.cost ?? ARGON2ID_COST;
    this.#unmatchable = unmatchableArgon2id(this.#cost);
    this.#slots = new ConcurrencyLimiter({
      concurrency: options.concurrency ?? defaultPasswordConcurrency(),
      maximumWaiting: options.maximumWaiting ?? MAXIMUM_WAITING,
    });
  }

  /** Hashes in flight and waiting, for metrics. */
  get load(): { readonly running: number; readonly waiting: number } {
    return { running: this.#slots.running, waiting: this.#slots.waiting };
  }

  /**
   * @param caller - who waits in turn with other callers, such as an address.
   * @returns a PHC string to store.
   * @throws {@link AccessError} password-hashing-busy when too many wait.
   */
  async hash(password: string, caller = UNKNOWN_ADDRESS): Promise<string> {
    return await this.#run(caller, () => hashArgon2id(password, this.#cost));
  }

  /**
   * Compares `password` with what is stored. Where nothing is stored, because there is no such account or it has no
   * password, it takes as long and does not match, so that time does not tell who has an account.
   *
   * @throws {@link AccessError} password-hashing-busy when too many wait.
   * @throws MalformedPasswordHash when what is stored is damaged.
   */
  async verify(
    password: string,
    encoded: string | null,
    caller = UNKNOWN_ADDRESS,
  ): Promise<PasswordVerdict> {
    const matches = await this.#run(caller, () =>
      verifyArgon2id(password, encoded ?? this.#unmatchable),
    );
    return {
      matches: matches && encoded !== null,
      isOutdated: matches && encoded !== null && costsOtherwise(encoded, this.#cost),
    };
  }

  async #run<Result>(caller: string, task: () => Promise<Result>): Promise<Result> {
    const scope = currentScope();
    try {
      return await this.#slots.run(async () => {
        // Nobody waits for it any more, and others wait for the place.
        if (scope?.isEnded === true) throw new ScopeEnded('The request has ended');
        return await task();
      }, caller);
    } catch (error) {
      if (!(error instanceof NoSlot)) throw error;
      throw new AccessError(
        'password-hashing-busy',
        'As many passwords are being checked as this server checks at once.',
        { cause: error, retryAfterSeconds: RETRY_AFTER_SECONDS },
      );
    }
  }
}
