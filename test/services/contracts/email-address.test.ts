import { describe, expect, it } from 'vitest';
import { loginBody, requestPasswordResetBody } from '../../../services/contracts/authentication.ts';
import { emailAddress, normalEmailAddress } from '../../../services/contracts/email-address.ts';
import {
  createUserBody,
  replaceUserBody,
  updateUserBody,
} from '../../../services/contracts/users.ts';

const LABEL_63 = 'a'.repeat(63);
const TOO_LONG = 'must be at most 254 characters long';

const valid: readonly (readonly [given: string, kept: string])[] = [
  ['Ada@Example.COM', 'Ada@example.com'],
  ['sales&support@example.com', 'sales&support@example.com'],
  ['user/dep@example.com', 'user/dep@example.com'],
  ["!#$%&'*+/=?^_`{|}~-@example.com", "!#$%&'*+/=?^_`{|}~-@example.com"],
  ['user@xn--e1afmkfd.xn--p1ai', 'user@xn--e1afmkfd.xn--p1ai'],
  ['user@пример.рф', 'user@xn--e1afmkfd.xn--p1ai'],
  ['user@例子.中国', 'user@xn--fsqu00a.xn--fiqs8s'],
  ['user@BÜCHER.example', 'user@xn--bcher-kva.example'],
  ['user@bu\u0308cher.example', 'user@xn--bcher-kva.example'],
  ['user@ａ．example', 'user@a.example'],
  ['user@1and1.example', 'user@1and1.example'],
  ['user@x--y.example', 'user@x--y.example'],
  [`${'a'.repeat(64)}@${LABEL_63}.example`, `${'a'.repeat(64)}@${LABEL_63}.example`],
  [`ada@example.${LABEL_63}`, `ada@example.${LABEL_63}`],
  ['user@XN--E1AFMKFD.XN--P1AI', 'user@xn--e1afmkfd.xn--p1ai'],
];
/** As long as one may be. */
const LONGEST = `${'a'.repeat(64)}@${LABEL_63}.${LABEL_63}.${'a'.repeat(61)}`;
/** Of 240 characters, and longer than an address may be once its domain is in ASCII. */
const TOO_LONG_IN_ASCII = `${'a'.repeat(35)}@${`${'ü'.repeat(40)}.`.repeat(4)}${'ü'.repeat(40)}`;

const invalid: readonly string[] = [
  '',
  'ada',
  'example.com',
  '@example.com',
  'ada@',
  'ada@localhost',
  'ada@@example.com',
  'ada lovelace@example.com',
  '.ada@example.com',
  'ada.@example.com',
  'a..da@example.com',
  '"ada"@example.com',
  'ädä@example.com',
  'ada@example..com',
  'ada@.example.com',
  'ada@example.com.',
  'ada@-example.com',
  'ada@example-.com',
  'ada@example.-om',
  'ada@example.co-',
  'ada@example.c',
  'ada@exa_mple.com',
  'ada@exa%41mple.com',
  'ada@exa mple.com',
  'ada@xn--a.com',
  'ada@xn--zn7c.com',
  'ada@mail.xn--zn7c.com',
  'ada@127.0.0.1',
  'ada@127.0.0.10',
  'ada@0x7f.1',
  'ada@１２７.0.0.1',
  'ada@[127.0.0.1]',
  'ada@[::1]',
  'ada@example.com\r\nBcc: eve@example.com',
  'ada@example.com<eve@example.com>',
  `${'a'.repeat(65)}@example.com`,
  `ada@${LABEL_63}a.example`,
  `ada@example.${LABEL_63}a`,
  `ada@${'ü'.repeat(62)}.example`,
];

describe('an email address', () => {
  it.each(valid)('that is valid, %j, is kept in its normal form', (given, kept) => {
    expect(emailAddress.parse(given)).toBe(kept);
    expect(emailAddress.parse(kept)).toBe(kept);
  });

  it.each(invalid)('that is not valid, %j, is refused', (given) => {
    expect(emailAddress.safeParse(given).success).toBe(false);
  });

  it.each([
    ['what is none', 'ada@localhost', 'must be an email address such as ada@example.com'],
    ['one character too many', `${LONGEST}a`, TOO_LONG],
    ['a long text that is none', '@'.repeat(300), TOO_LONG],
    ['too much in ASCII', TOO_LONG_IN_ASCII, TOO_LONG],
  ])('with %s, is refused for that reason alone', (_what, given, message) => {
    const { error } = emailAddress.safeParse(given);
    expect(error?.issues.map((issue) => issue.message)).toEqual([message]);
  });

  it('may be 254 characters long', () => expect(emailAddress.parse(LONGEST)).toBe(LONGEST));

  it('that is looked for, is any text of 254 characters at most that the database can hold', () => {
    const isTaken = (email: string) => requestPasswordResetBody.safeParse({ email }).success;
    expect(['ada', '', 'a'.repeat(254)].map(isTaken)).toEqual([true, true, true]);
    expect(['a'.repeat(255), 'ada\u0000@example.com'].map(isTaken)).toEqual([false, false]);
  });

  it('that is not valid, has no other form', () => {
    for (const text of ['example.com', 'Ada@EXA_MPLE.com']) {
      expect(normalEmailAddress(text)).toBe(text);
    }
  });

  it('is the same wherever one is taken', () => {
    const [given, kept] = ['Ada@ПРИМЕР.рф', 'Ada@xn--e1afmkfd.xn--p1ai'];
    const rest = { name: 'Ada', status: 'active' };
    const password = 'any';
    expect([
      createUserBody.parse({ ...rest, email: given }).email,
      replaceUserBody.parse({ ...rest, email: given }).email,
      updateUserBody.parse({ email: given }).email,
      loginBody.parse({ email: given, password }).email,
      requestPasswordResetBody.parse({ email: given }).email,
    ]).toEqual(Array(5).fill(kept));
  });
});
