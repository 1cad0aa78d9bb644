import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { publicBody } from '../../../../services/user-api/users/representations.ts';

/** Texts with what could be taken for the end of one, or for the key of an address. */
const texts = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('"', '\\', ',', ',"email":"', '"email":', '\\"', '\u2028', '\ud800', '🦊'),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''));

const encode = (value: object) => new TextEncoder().encode(JSON.stringify(value));

describe('the body of a user for everybody', () => {
  it('is the one for some without the email address, whatever the texts', () => {
    const users = fc.record({ id: fc.nat(), name: texts, email: texts, status: texts });
    fc.assert(
      fc.property(users, (user) => {
        const { email: _, ...shown } = user;
        expect(Buffer.from(publicBody(encode(user)))).toEqual(Buffer.from(encode(shown)));
      }),
      { numRuns: 2_000 },
    );
  });

  it('lacks the email address wherever it stands', () => {
    const body = publicBody(encode({ email: 'a@example.com', id: 1 }));
    expect(new TextDecoder().decode(body)).toBe('{"id":1}');
  });

  it('of bytes in the middle of others takes nothing else', () => {
    const user = encode({ id: 1, email: 'a@example.com', name: 'Ada' });
    const around = new Uint8Array([...encode({ x: 1 }), ...user, ...encode({ y: 1 })]);
    const body = publicBody(around.subarray(7, 7 + user.length));
    expect(new TextDecoder().decode(body)).toBe('{"id":1,"name":"Ada"}');
  });
});
