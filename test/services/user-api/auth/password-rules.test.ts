import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newPassword } from '../../../../services/contracts/password.ts';
import { COMMON_PASSWORD_DIGESTS } from '../../../../services/user-api/auth/passwords/common-password-digests.ts';
import {
  isCommonPassword,
  objectionToPassword,
} from '../../../../services/user-api/auth/passwords/password-rules.ts';

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

describe('objectionToPassword', () => {
  const owner = { email: 'ada.lovelace@analytical-engine.example', name: 'Ada King Lovelace' };

  it.each([
    // In any case.
    '1qaz2wsx3edc4rfv',
    'Q1W2E3R4T5Y6U7I8',
  ])('objects to %j, which many people had', (password) => {
    expect(objectionToPassword(password, owner)).toBe(
      'is among the passwords that are tried first, because many people had it; choose another',
    );
  });

  it.each([
    // A shorter one again and again, of up to 14 characters.
    'abcabcabcabcabcabc',
    'Tr0ub4dor&3Tr0ub4dor&3',
    'zX9$kL2!pQ7@mNzX9$kL2!pQ7@mN',
    'uuuuuuuuuuuuuuuuuuuuuuu',
    // Up to three rows, in either direction, of the alphabet, the digits and the keyboard.
    'abcdefghijklmnopqrst',
    'aabbccddeeffgghhii',
    '2345678987654321012',
    'qwertzuiopasdfghjklyxcvb',
    'POIUYTREWQLKJHGFDSA',
    'abcdef123456qwerty',
    '98765432100123456',
  ])('objects to %j, a repetition or rows', (password) => {
    expect(objectionToPassword(password, owner)).toBe(
      'is a repetition or a row of neighbouring keys, which is tried first; choose another',
    );
  });

  it.each([
    ['AdaLovelace1815!', owner],
    ['lovelace-lovelace-1', owner],
    ['headroom-password-2026', owner],
    ['Passwort=Login=Admin', owner],
    ['ada.lovelace@analytical-engine.example', owner],
    // The longest word goes first, and a word has at least three letters.
    ['Annabel.headroom7', { email: 'x@y.z', name: 'Ann Annabel Lee' }],
    ['Ann-headroom-2026', { email: 'ann@y.z', name: '' }],
  ])('objects to %j, which is made of known words', (password, of) => {
    expect(objectionToPassword(password, of)).toBe(
      'is made of your name, your email address or the name of this service; choose another',
    );
  });

  it.each([
    'correct horse battery staple',
    'I met Ada in the summer of 1843',
    'all lower case words are welcome',
    '92857104635918273',
    'Ünïcödé is as good as any other',
    'zX9$kL2!pQ7@mN4',
    // Begins again after 14 characters, without being a repetition; repeats 15 characters; has four rows.
    'zX9$kL2!pQ7@mNzX',
    'zX9$kL2!pQ7@mN4zX9$kL2!pQ7@mN4',
    'Qk3$vB8Wk3$vB8Wk3$vB8',
    'abcdef123456qwertyasdfgh',
    // Two letters are no word.
    'Al-headroom-2026',
    'headroom of the castle',
  ])('has nothing against %j', (password) => {
    expect(objectionToPassword(password, { ...owner, name: 'Al Lovelace' })).toBeNull();
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
        expect(objectionToPassword(password, owner)).toBeNull();
      }),
      { numRuns: 500 },
    );
  });
});

describe('isCommonPassword', () => {
  it('knows what is on the list and not what is like it', () => {
    expect(isCommonPassword('passwordstandard')).toBe(true);
    expect(isCommonPassword('PasswordStandard')).toBe(true);
    expect(isCommonPassword('123456789123456789')).toBe(true);
    expect(isCommonPassword('wildwarkwildwark')).toBe(true);
    expect(isCommonPassword('123456789123456780')).toBe(false);
    expect(isCommonPassword('')).toBe(false);
  });

  it('has a list of whole digests, none of them twice', () => {
    expect(COMMON_PASSWORD_DIGESTS).toHaveLength(8 * 9_728);
    expect(COMMON_PASSWORD_DIGESTS).toMatch(/^[A-Za-z0-9+/]+$/);
    expect(new Set(COMMON_PASSWORD_DIGESTS.match(/.{8}/g)).size).toBe(9_728);
  });
});
