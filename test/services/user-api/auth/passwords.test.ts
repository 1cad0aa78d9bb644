import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChangeScope, ScopeEnded } from '../../../../services/contracts/changes/change-scope.ts';
import {
  ARGON2ID_COST,
  costsOtherwise,
  defaultPasswordConcurrency,
  hashArgon2id,
  MalformedPasswordHash,
  PasswordHasher,
  unmatchableArgon2id,
  verifyArgon2id,
} from '../../../../services/user-api/auth/passwords/password-hasher.ts';
import { CHEAP_COST } from './support/auth-api.ts';

/** A queue that forgets a task leaves it waiting for ever. */
const HANGS_AFTER_MILLISECONDS = 10_000;

describe('Argon2id hashes', () => {
  it.each([
    [8, 1, 1, true],
    [7, 1, 1, false],
    [512, 1, 64, true],
    [511, 1, 64, false],
    [1_048_576, 1, 1, true],
    [1_048_577, 1, 1, false],
    [64, 64, 1, true],
    [64, 65, 1, false],
    [64, 0, 1, false],
    [64, 1, 0, false],
    [1_024, 1, 65, false],
  ])('are read up to a cost that a server can pay: m=%i, t=%i, p=%i: %s', (m, t, p, isRead) => {
    const stored = `$argon2id$v=19$m=${m},t=${t},p=${p}$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc`;
    const cost = { memoryKibibytes: m, passes: t, parallelism: p };

    if (isRead) expect(costsOtherwise(stored, cost)).toBe(false);
    else expect(() => costsOtherwise(stored, cost)).toThrow(/is not a PHC string of Argon2id$/);
  });

  it('are those of the reference implementation', async () => {
    // Of phc-winner-argon2, src/test.c: version 0x13, t=2, m=65536, p=1, "password", "somesalt".
    const reference =
      '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';

    expect(await verifyArgon2id('password', reference)).toBe(true);
    expect(await verifyArgon2id('Password', reference)).toBe(false);
  });

  it('say in PHC form what they cost, which is what OWASP wants at least', async () => {
    const hash = await hashArgon2id('a password', ARGON2ID_COST);

    expect(hash).toMatch(
      /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/,
    );
    expect(await hashArgon2id('a password', ARGON2ID_COST)).not.toBe(hash);
  });

  it('match what they were made of and nothing else, whatever its characters and its end', async () => {
    const password = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 128 });
    await fc.assert(
      fc.asyncProperty(password, password, async (first, second) => {
        const hash = await hashArgon2id(first, CHEAP_COST);
        const same = first.normalize('NFC') === second.normalize('NFC');
        expect(await verifyArgon2id(first, hash)).toBe(true);
        expect(await verifyArgon2id(second, hash)).toBe(same);
        expect(await verifyArgon2id(`${first}.`, hash)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['empty', ''],
    ['of bcrypt', '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy'],
    [
      'of Argon2i',
      '$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    ],
    [
      'asking for 9 GiB',
      '$argon2id$v=19$m=9999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    ],
    [
      'asking for no memory',
      '$argon2id$v=19$m=0,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    ],
    ['with a tag that is cut off', '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFh'],
  ])('are refused when %s, without being shown', async (_what, stored) => {
    // It is read before anything is hashed: a mistake in what is read must not take gigabytes of this machine.
    expect(() => costsOtherwise(stored, CHEAP_COST)).toThrow(MalformedPasswordHash);
    const failure = await verifyArgon2id('password', stored).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(MalformedPasswordHash);
    if (stored !== '') expect(String(failure)).not.toContain(stored);
  });

  it('of another cost are outdated, whichever part of the cost it is', async () => {
    expect(costsOtherwise(await hashArgon2id('x', CHEAP_COST), CHEAP_COST)).toBe(false);
    for (const other of [{ memoryKibibytes: 65 }, { passes: 2 }, { parallelism: 2 }]) {
      const stored = await hashArgon2id('x', { ...CHEAP_COST, ...other });
      expect(costsOtherwise(stored, CHEAP_COST)).toBe(true);
    }
  });
});

describe('PasswordHasher', { timeout: HANGS_AFTER_MILLISECONDS }, () => {
  it('refuses with a time to wait when too many wait, and goes on with those that do', async () => {
    const hasher = new PasswordHasher({ cost: CHEAP_COST, concurrency: 1, maximumWaiting: 2 });

    const outcomes = await Promise.allSettled(
      Array.from({ length: 5 }, () => hasher.hash('a password')),
    );

    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    expect(outcomes[4]).toMatchObject({
      reason: {
        slug: 'password-hashing-busy',
        message: 'As many passwords are being checked as this server checks at once.',
        headers: { 'retry-after': '1' },
        cause: { message: '1 tasks run and 2 wait, which is the most' },
      },
    });
    expect(hasher.load).toEqual({ running: 0, waiting: 0 });
  });

  it('hashes at the cost of new passwords where none is given', async () => {
    expect(await new PasswordHasher().hash('a password')).toMatch(
      /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/,
    );
  });

  it.each([
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 2],
    [64, 2],
  ])('on %i cores hashes %i at once by default', (cores, expected) => {
    expect(defaultPasswordConcurrency(cores)).toBe(expected);
  });

  it('does not hash for a request that ended while it waited', async () => {
    const hasher = new PasswordHasher({ cost: CHEAP_COST, concurrency: 1 });
    const running = hasher.hash('one');
    const scope = new ChangeScope();
    const waiting = scope.run(() => hasher.hash('another'));
    scope.end();
    await expect(waiting).rejects.toThrow(ScopeEnded);
    await running;
    expect(hasher.load).toEqual({ running: 0, waiting: 0 });
  });

  it('compares with something where nothing is stored, and never matches', async () => {
    const hasher = new PasswordHasher({ cost: CHEAP_COST });

    expect(await hasher.verify('a password', null)).toEqual({ matches: false, isOutdated: false });
    expect(await hasher.verify('', null)).toEqual({ matches: false, isOutdated: false });
    expect(unmatchableArgon2id(CHEAP_COST)).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/);
  });

  it('says that a hash is outdated only to who knows the password', async () => {
    const hasher = new PasswordHasher({ cost: CHEAP_COST });
    const stored = await hashArgon2id('a password', { ...CHEAP_COST, passes: 2 });

    expect(await hasher.verify('a password', stored)).toEqual({ matches: true, isOutdated: true });
    expect(await hasher.verify('another', stored)).toEqual({ matches: false, isOutdated: false });
  });
});
