import { describe, expect, it } from 'vitest';
import { loginBody, requestPasswordResetBody } from '../../../services/contracts/authentication.ts';
import { emailAddress } from '../../../services/contracts/email-address.ts';
import {
  createUserBody,
  replaceUserBody,
  updateUserBody,
} from '../../../services/contracts/users.ts';

const LABEL_63 = 'a'.repeat(63);

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
];

const invalid: readonly string[] = [
  '',
  'ada',
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
  'ada@exa_mple.com',
  'ada@exa%41mple.com',
  'ada@exa mple.com',
  'ada@xn--a.com',
  'ada@xn--zn7c.com',
  'ada@127.0.0.1',
  'ada@0x7f.1',
  'ada@１２７.0.0.1',
  'ada@[127.0.0.1]',
  'ada@[::1]',
  'ada@example.com\r\nBcc: eve@example.com',
  'ada@example.com<eve@example.com>',
  `${'a'.repeat(65)}@example.com`,
  `ada@${LABEL_63}a.example`,
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
