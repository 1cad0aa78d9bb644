import { describe, expect, it } from 'vitest';
import { createApiKeyBody } from '../../../services/contracts/api-keys.ts';
import { createUserBody, listUsersQuery } from '../../../services/contracts/users.ts';

const email = 'ada@example.com';
const TOO_SHORT_OR_LONG =
  'must be 1 to 100 characters long, not counting blanks around it, and not only invisible ones';
/** Every text that people name something with. */
const named: readonly (readonly [what: string, parse: (name: string) => string | null])[] = [
  ['a user', (name) => createUserBody.safeParse({ name, email }).data?.name ?? null],
  ['an API key', (name) => createApiKeyBody.safeParse({ name, scopes: [] }).data?.name ?? null],
];

/** Characters that show nothing, alone or together. */
const blanks = [
  '\u3164',
  '\u2800',
  '\u115f',
  '\u1160',
  '\uffa0',
  '\u00ad',
  '\u034f',
  '\u061c',
  '\u17b4',
  '\u180b',
  '\u180e',
  '\u200b',
  '\u200d',
  '\u2060',
  '\u2064',
  '\u202e',
  '\u2066',
  '\ufe0f',
  '\ufeff',
  '\ufff9',
  '\u{e0061}',
  '\u{e0100}',
  '\u{1d159}',
  '\u{1d173}',
  '\u{16fe4}',
  '\u00a0',
  '\u3000',
  '\u2003',
  '\u1680',
];

describe.each(named)('the name of %s', (_what, parse) => {
  it.each(blanks.map((blank) => [(blank.codePointAt(0) ?? 0).toString(16), blank]))(
    'of nothing but U+%s, is refused',
    (_code, blank) => {
      expect(parse(blank)).toBeNull();
      expect(parse(` ${blank}\u200b${blank}\u200b`)).toBeNull();
    },
  );

  it.each(['A', '한', '\u1112\u1161\u11ab', '\u2801', '☃', '👩‍🚀', '-', '\u0e01', '①'])(
    'with something to see, %j, is taken',
    (name) => expect(parse(name)).toBe(name.normalize('NFC')),
  );

  it('in several forms of the same characters, is kept in one', () => {
    expect(parse('Ame\u0301lie')).toBe('Am\u00e9lie');
    expect(parse('Am\u00e9lie')).toBe('Am\u00e9lie');
  });

  it('is as long as it is kept', () => {
    expect(parse('e\u0301'.repeat(100))).toBe('\u00e9'.repeat(100));
    expect(parse('\u00e9'.repeat(101))).toBeNull();
    expect(parse('👩'.repeat(100))).toBe('👩'.repeat(100));
    // Three characters in normal form C.
    expect(parse('\u{1d160}'.repeat(34))).toBeNull();
  });

  it('has no blanks around it', () => expect(parse(' \u3000Ada Lovelace\n')).toBe('Ada Lovelace'));

  it('of two lines or with control characters, is refused', () => {
    for (const name of ['a\nb', 'a\u2028b', 'a\u2029b', 'a\u0000b', 'a\u0085b']) {
      expect(parse(name)).toBeNull();
    }
  });

  it('of half a character, is refused', () => expect(parse('a\ud800')).toBeNull());
});

it.each([
  ['no text', 5, 'must be a string'],
  [
    'half a character',
    '\ud800'.repeat(101),
    'must be valid Unicode: it has half of a surrogate pair',
  ],
  ['two lines', `\n${'a\n'.repeat(101)}`, 'must be one line without control characters'],
  ['nothing', ' ', TOO_SHORT_OR_LONG],
  ['too much', 'a'.repeat(101), TOO_SHORT_OR_LONG],
])('a name of %s, is refused for that reason alone', (_what, name, message) => {
  const { error } = createUserBody.safeParse({ name, email });
  expect(error?.issues.map((issue) => issue.message)).toEqual([message]);
});

describe('the prefix of a name', () => {
  const parse = (prefix: string) => listUsersQuery.safeParse({ name_prefix: prefix });

  it('in another form of the same characters, is the same', () => {
    expect(parse('Ame\u0301').data?.name_prefix).toBe('Am\u00e9');
  });

  it.each(['A', ' ', 'Ada ', '👩'.repeat(100)])('may be %j', (prefix) => {
    expect(parse(prefix).data?.name_prefix).toBe(prefix);
  });

  it.each(['', 'a'.repeat(101), 'a\nb', 'a\ud800'])(
    'that no name begins with, %j, is refused',
    (prefix) => {
      expect(parse(prefix).error?.issues).toMatchObject([
        { message: 'must be 1 to 100 characters of a name' },
      ]);
    },
  );
});
