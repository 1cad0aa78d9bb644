import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { currentScope, ScopeEnded } from '../../../contracts/changes/change-scope.ts';
import { ConcurrencyLimiter, NoSlot } from '../../../contracts/concurrency/concurrency-limiter.ts';
import { UNKNOWN_ADDRESS } from '../../client-address/client-address.ts';
import { AccessError } from '../errors.ts';

const deriveKey = promisify(argon2);

export interface Argon2idCost {
  readonly memoryKibibytes: number;
  readonly passes: number;
  readonly parallelism: number;
}

/**
 * Cost of new hashes: the minimum of OWASP's Password Storage Cheat Sheet for Argon2id, 28 ms of one core on the author's machine. Of its five
 * equivalent settings this one moves the least memory but two. After an increase, older hashes verify at their own cost and are recreated at
 * the
 * next login.
 * https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
 */
export const ARGON2ID_COST: Argon2idCost = { memoryKibibytes: 19_456, passes: 2, parallelism: 1 };

/** 128 bits of salt and 256 bits of tag, as RFC 9106, 4 recommends. */
const SALT_BYTES = 16;
const TAG_BYTES = 32;
/** Version 1.3 of Argon2, the one of RFC 9106. */
const ARGON2_VERSION = 19;
/** A stored hash above these is damaged: it must not allocate terabytes. */
const COST_MAXIMUM: Argon2idCost = { memoryKibibytes: 1_048_576, passes: 64, parallelism: 64 };

/** `$argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<tag>`, base64 without padding. */
const PHC_STRING =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{22,86})$/;

/** A stored hash is damaged, or not Argon2id. */
export class MalformedPasswordHash extends Error {
  override readonly name = 'MalformedPasswordHash';
}

interface DecodedHash {
  readonly cost: Argon2idCost;
  readonly salt: Buffer;
  readonly tag: Buffer;
}

const unpadded = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');

/** PHC string format: https://github.com/P-H-C/phc-string-format */
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
    // Without the hash: this message goes into logs.
    throw new MalformedPasswordHash('The stored password hash is not a PHC string of Argon2id');
  }
  return { cost, salt: Buffer.from(salt, 'base64'), tag: Buffer.from(tag, 'base64') };
}

async function derive(password: string, decoded: DecodedHash): Promise<Buffer> {
  const parameters: Argon2Parameters = {
    // The same characters from another keyboard may have other code points: NIST SP 800-63B-4, 3.1.1.2.
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
 * Whether `password` matches `encoded`, in the same time either way.
 *
 * @throws {@link MalformedPasswordHash}
 */
export async function verifyArgon2id(password: string, encoded: string): Promise<boolean> {
  const decoded = decode(encoded);
  return timingSafeEqual(await derive(password, decoded), decoded.tag);
}

export function costsOtherwise(encoded: string, cost: Argon2idCost): boolean {
  const found = decode(encoded).cost;
  return (
    found.memoryKibibytes !== cost.memoryKibibytes ||
    found.passes !== cost.passes ||
    found.parallelism !== cost.parallelism
  );
}

/** A hash that no password matches, as expensive to verify as a real one. */
export function unmatchableArgon2id(cost: Argon2idCost): string {
  return encode({ cost, salt: randomBytes(SALT_BYTES), tag: randomBytes(TAG_BYTES) });
}

/**
 * Most concurrent hashes. libuv has 4 threads by default, which DNS, files and token verification share; and half of the cores, to leave
 * CPU to the event loop.
 */
const CONCURRENCY_MAXIMUM = 2;
export const defaultPasswordConcurrency = (cores: number = availableParallelism()): number =>
  Math.min(CONCURRENCY_MAXIMUM, Math.max(1, Math.floor(cores / 2)));
/** Bounds the wait to about a second: 32 hashes of some 30 ms. */
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
  /** The password matched a hash of another cost than new ones have: rehash it now. */
  readonly isOutdated: boolean;
}

/** Hashes and verifies passwords with bounded concurrency, so that a burst of logins does not starve other requests. */
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

  get load(): { readonly running: number; readonly waiting: number } {
    return { running: this.#slots.running, waiting: this.#slots.waiting };
  }

  /**
   * @param caller - queue key for fairness between callers, such as an address.
   * @returns a PHC string to store.
   * @throws {@link AccessError} password-hashing-busy when the queue is full.
   */
  async hash(password: string, caller = UNKNOWN_ADDRESS): Promise<string> {
    return await this.#run(caller, () => hashArgon2id(password, this.#cost));
  }

  /**
   * Compares `password` with the stored hash. Without one (no account, or no password), it takes as long and does not match, so that timing
   * does not
   * reveal accounts.
   *
   * @throws {@link AccessError} password-hashing-busy when the queue is full.
   * @throws MalformedPasswordHash
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
        // The request has ended: leave the slot to others.
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
