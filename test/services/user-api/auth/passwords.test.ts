import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChangeScope, ScopeEnded } from '../../../../services/contracts/changes/change-scope.ts';
import { newPassword } from '../../../../services/contracts/password.ts';
import {
  ARGON2ID_COST,
  costsOtherwise,
  hashArgon2id,
  MalformedPasswordHash,
  unmatchableArgon2id,
  verifyArgon2id,
} from '../../../../services/user-api/auth/passwords/argon2id.ts';
import {
  BoundedQueue,
  QueueFull,
} from '../../../../services/user-api/auth/passwords/bounded-queue.ts';
import { CommonPasswords } from '../../../../services/user-api/auth/passwords/common-passwords.ts';
import { PasswordHasher } from '../../../../services/user-api/auth/passwords/password-hasher.ts';
import { PasswordRules } from '../../../../services/user-api/auth/passwords/password-rules.ts';
import { CHEAP_COST } from './support/auth-api.ts';

describe('Argon2id hashes', () => {
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
    const failure = await verifyArgon2id('password', stored).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(MalformedPasswordHash);
    if (stored !== '') expect(String(failure)).not.toContain(stored);
  });

  it('of another cost are outdated', async () => {
    expect(costsOtherwise(await hashArgon2id('x', CHEAP_COST), CHEAP_COST)).toBe(false);
    expect(costsOtherwise(await hashArgon2id('x', CHEAP_COST), ARGON2ID_COST)).toBe(true);
  });
});

describe('BoundedQueue', () => {
  it('never runs more than it may, keeps the order, and refuses what is too many at once', async () => {
    const schedule = fc.record({
      concurrency: fc.integer({ min: 1, max: 4 }),
      maximumWaiting: fc.integer({ min: 0, max: 6 }),
      tasks: fc.integer({ min: 1, max: 20 }),
      failing: fc.nat(20),
    });
    await fc.assert(
      fc.asyncProperty(schedule, async ({ concurrency, maximumWaiting, tasks, failing }) => {
        const queue = new BoundedQueue({ concurrency, maximumWaiting });
        const started: number[] = [];
        let most = 0;
        const outcomes = await Promise.allSettled(
          Array.from({ length: tasks }, (_, task) =>
            queue.run('somebody', async () => {
              started.push(task);
              most = Math.max(most, queue.running);
              await new Promise((resolve) => setImmediate(resolve));
              if (task === failing) throw new Error('the task itself');
            }),
          ),
        );

        const taken = Math.min(tasks, concurrency + maximumWaiting);
        expect(started).toEqual(Array.from({ length: taken }, (_, task) => task));
        expect(most).toBe(Math.min(concurrency, tasks));
        outcomes.slice(taken).forEach((outcome) => {
          expect(outcome.status === 'rejected' && outcome.reason).toBeInstanceOf(QueueFull);
        });
        expect([queue.running, queue.waiting]).toEqual([0, 0]);
      }),
      { numRuns: 100 },
    );
  });

  it("has callers take turns, and one caller's crowd make room for others", async () => {
    const queue = new BoundedQueue({ concurrency: 1, maximumWaiting: 6 });
    const started: string[] = [];
    const refused: string[] = [];
    const run = (caller: string, count: number) =>
      Array.from({ length: count }, (_, at) =>
        queue
          .run(caller, async () => {
            started.push(`${caller}${at}`);
            await new Promise((resolve) => setImmediate(resolve));
          })
          .catch((error: unknown) => {
            expect(error).toBeInstanceOf(QueueFull);
            refused.push(`${caller}${at}`);
          }),
      );
    await Promise.all([...run('crowd', 9), ...run('owner', 2), ...run('guest', 4)]);
    expect(started).toEqual(['crowd0', 'crowd1', 'owner0', 'guest0', 'crowd2', 'owner1', 'guest1']);
    expect(refused.toSorted()).toEqual(
      ['crowd7', 'crowd8', 'crowd6', 'crowd5', 'crowd4', 'crowd3', 'guest2', 'guest3'].toSorted(),
    );
    expect([queue.running, queue.waiting]).toEqual([0, 0]);
  });
});

describe('PasswordHasher', () => {
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
      reason: { slug: 'password-hashing-busy', headers: { 'retry-after': '1' } },
    });
    expect(hasher.load).toEqual({ running: 0, waiting: 0 });
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

describe('newPassword', () => {
  it.each([
    ['x'.repeat(14), false],
    ['x'.repeat(15), true],
    ['x'.repeat(128), true],
    ['x'.repeat(129), false],
    // 15 and 128 code points that are 30 and 256 units.
    ['😀'.repeat(14), false],
    ['😀'.repeat(15), true],
    ['😀'.repeat(128), true],
    ['😀'.repeat(129), false],
    [' '.repeat(15), true],
    [`${'x'.repeat(20)}\udc00`, false],
  ])('counts code points from 15 to 128: %j', (text, taken) => {
    expect(newPassword.safeParse(text).success).toBe(taken);
  });
});

describe('PasswordRules', () => {
  const rules = new PasswordRules();
  const owner = { email: 'ada.lovelace@analytical-engine.example', name: 'Ada King Lovelace' };

  it.each([
    // Of the list, in any case.
    '1qaz2wsx3edc4rfv',
    'Q1W2E3R4T5Y6U7I8',
    // A shorter one again and again.
    'passwordpassword',
    'abcabcabcabcabcabc',
    'Tr0ub4dor&3Tr0ub4dor&3',
    // Rows.
    'aaaaaaaaaaaaaaaaaaaa',
    'abcdefghijklmnopqrst',
    '12345678987654321',
    'qwertyuiopasdfghjkl',
    // Of its owner and of this service.
    'AdaLovelace1815!',
    'lovelace-lovelace-1',
    'headroom-password-2026',
    'ada.lovelace@analytical-engine.example',
  ])('objects to %j, which is tried first', (password) => {
    expect(rules.objectionTo(password, owner)).toMatch(/choose another$/);
  });

  it.each([
    'correct horse battery staple',
    'I met Ada in the summer of 1843',
    'all lower case words are welcome',
    '92857104635918273',
    'Ünïcödé is as good as any other',
    'zX9$kL2!pQ7@mN4',
  ])('has nothing against %j', (password) => {
    expect(rules.objectionTo(password, owner)).toBeNull();
  });

  it('never asks for kinds of characters: nearly all random passwords of one kind pass', () => {
    const letters = fc.string({
      unit: fc.constantFrom(...'bcdfghjklmnpqrstvwxyz'),
      minLength: 24,
      maxLength: 64,
    });
    fc.assert(
      fc.property(letters, (password) => {
        fc.pre(new Set(password).size > 8);
        expect(rules.objectionTo(password, owner)).toBeNull();
      }),
      { numRuns: 500 },
    );
  });
});

describe('CommonPasswords', () => {
  it('has what is on the list and not what is like it', () => {
    const common = new CommonPasswords();

    expect(common.has('passwordstandard')).toBe(true);
    expect(common.has('123456789123456789')).toBe(true);
    expect(common.has('wildwarkwildwark')).toBe(true);
    expect(common.has('123456789123456780')).toBe(false);
    expect(common.has('')).toBe(false);
  });

  it('is in order and without doubles, as the search needs it', async () => {
    const { COMMON_PASSWORD_DIGESTS } = await import(
      '../../../../services/user-api/auth/passwords/common-password-digests.ts'
    );
    const bytes = Buffer.from(COMMON_PASSWORD_DIGESTS, 'base64');
    const digests = Array.from({ length: bytes.length / 6 }, (_, index) =>
      bytes.toString('hex', index * 6, index * 6 + 6),
    );

    expect(digests).toHaveLength(9_728);
    expect(digests).toEqual([...digests].sort());
    expect(new Set(digests).size).toBe(digests.length);
  });
});
