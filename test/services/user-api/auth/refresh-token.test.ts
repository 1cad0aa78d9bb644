import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createRefreshToken,
  createSuccessorSalt,
  formatRefreshToken,
  parseRefreshToken,
  refreshTokenHash,
  sessionIdOf,
  successorOf,
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
      { numRuns: 500 },
    );
  });

  it('stays good when the service is updated: what is stored of it, and its successor, never change', () => {
    const token = parseRefreshToken(
      'hrr_17.AAECAwQFBgcICQoLDA0ODw.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8',
    );
    if (token === null) throw new Error('It was not read');
    const successor = successorOf(token, 'the salt');

    expect(sessionIdOf(token)).toBe('XSYR1aTdK0Cyd9_bXs9bSY');
    expect(refreshTokenHash(token)).toBe('6oZqdX5MOLq_qBJ8vppAnT4fk6AP8UiP9zX8-Rev_9A');
    expect(formatRefreshToken(successor)).toBe(
      'hrr_17.AAECAwQFBgcICQoLDA0ODw.miaioL2tFMBUibG-3FWR6v1RHVmBRgJJlhyhpjAOXdQ',
    );
  });

  it('is random in all its parts, and so are salts', () => {
    const tokens = Array.from({ length: 20 }, () => createRefreshToken(17));
    const salts = Array.from({ length: 20 }, createSuccessorSalt);

    expect(new Set(tokens.map(({ family }) => family)).size).toBe(20);
    expect(new Set(tokens.map(({ secret }) => secret)).size).toBe(20);
    expect(new Set(salts).size).toBe(20);
    for (const salt of salts) expect(salt).toMatch(/^[\w-]{43}$/);
  });
});
