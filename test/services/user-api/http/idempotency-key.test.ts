import { describe, expect, it } from 'vitest';
import { parseIdempotencyKey } from '../../../../services/user-api/http/request-headers.ts';

describe('parseIdempotencyKey', () => {
  it.each([
    [undefined, null],
    ['key', 'key'],
    ['"key"', 'key'],
    [' "key" ', 'key'],
    ['"', '"'],
    ['a"b"', 'a"b"'],
    ['"b"a', '"b"a'],
    ['!~', '!~'],
    ['x'.repeat(255), 'x'.repeat(255)],
    [`"${'x'.repeat(255)}"`, 'x'.repeat(255)],
  ])('of %s is %s', (header, key) => {
    expect(parseIdempotencyKey(header)).toBe(key);
  });

  it.each(['', '""', ' ', 'two words', 'é', '\u007f', 'x'.repeat(256)])(
    'of %j is refused',
    (header) => {
      const { length } = header.trim().replaceAll('"', '');
      expect(() => parseIdempotencyKey(header)).toThrow(
        `The Idempotency-Key is ${length} characters long`,
      );
    },
  );
});
