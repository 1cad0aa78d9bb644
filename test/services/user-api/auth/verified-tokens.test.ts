import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VerifiedToken } from '../../../../services/user-api/auth/tokens/access-tokens.ts';
import { VerifiedTokens } from '../../../../services/user-api/auth/tokens/verified-tokens.ts';

describe('VerifiedTokens', () => {
  const token = (expiresAt: number): VerifiedToken => ({
    userId: 17,
    role: 'user',
    sessionId: 'session',
    authenticatedAt: 0,
    generation: 0,
    tokenId: 'x',
    expiresAt,
  });

  it('has a token until it expires and not a millisecond more', () => {
    const verified = new VerifiedTokens();
    verified.add('Bearer a', token(1_000));

    expect(verified.get('Bearer a', 999)?.userId).toBe(17);
    expect(verified.get('Bearer a', 1_000)).toBeUndefined();
    expect(verified.size).toBe(0);
  });

  it('holds no more than it has room for, whatever comes, and what it holds is what was put in', () => {
    const operation = fc.record({
      header: fc.constantFrom(...'abcdefgh').map((text) => `Bearer ${text}`),
      expiresAt: fc.integer({ min: 0, max: 100 }),
      now: fc.integer({ min: 0, max: 100 }),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const verified = new VerifiedTokens(3);
        const put = new Map<string, VerifiedToken>();
        for (const { header, expiresAt, now } of operations) {
          const found = verified.get(header, now);
          if (found !== undefined) {
            expect(found).toBe(put.get(header));
            expect(now).toBeLessThan(found.expiresAt);
          }
          const added = token(expiresAt);
          put.set(header, added);
          verified.add(header, added);
          expect(verified.size).toBeLessThanOrEqual(3);
        }
      }),
    );
  });

  it('forgets the oldest when there is no more room, and what it is asked to', () => {
    const verified = new VerifiedTokens(2);
    for (const header of ['Bearer a', 'Bearer b', 'Bearer c']) verified.add(header, token(1_000));
    expect(verified.get('Bearer a', 0)).toBeUndefined();
    expect(verified.get('Bearer b', 0)?.userId).toBe(17);
    expect(verified.get('Bearer c', 0)?.userId).toBe(17);

    verified.delete('Bearer b');
    expect(verified.get('Bearer b', 0)).toBeUndefined();
    expect(verified.size).toBe(1);
  });

  it('whatever headers a client writes around a good token, holds at most two of them', () => {
    const verified = new VerifiedTokens();
    for (let padding = 1; padding <= 1_000; padding += 1) {
      for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
        verified.add(`${scheme}${' '.repeat(padding)}a.b.c`, token(1_000));
      }
    }
    expect(verified.size).toBe(2);
    verified.add(`Bearer ${'a'.repeat(1_018)}`, token(1_000));
    expect(verified.size).toBe(2);
    verified.add(`Bearer ${'a'.repeat(1_017)}`, token(1_000));
    expect(verified.size).toBe(3);
  });
});
