import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createRefreshToken,
  formatRefreshToken,
  parseRefreshToken,
} from '../../../../services/user-api/auth/sessions/refresh-token.ts';

describe('a refresh token', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (userId) => {
        const token = createRefreshToken(userId);
        expect(parseRefreshToken(formatRefreshToken(token))).toEqual(token);
      }),
    );
  });

  it('is nothing else: no other text is read as one, and none makes it throw', () => {
    const token = formatRefreshToken(createRefreshToken(17));
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.nat(token.length - 1).map((length) => token.slice(0, length)),
      fc.string({ minLength: 1 }).map((more) => token + more),
      fc.string({ minLength: 1 }).map((more) => more + token),
      fc.constantFrom(
        token.replace('17', '017'),
        token.replace('17', '-17'),
        token.replace('17', '1e3'),
        token.replace('17', '9999999999999999'),
        token.replace('17', '17.17'),
        `${token}\n`,
      ),
    );
    fc.assert(
      fc.property(text, (other) => {
        expect(parseRefreshToken(other)).toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });
});
