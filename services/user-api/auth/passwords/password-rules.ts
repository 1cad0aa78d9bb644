import { createHash } from 'node:crypto';
import { PASSWORD_MINIMUM_LENGTH } from '../../../contracts/password.ts';
import { COMMON_PASSWORD_DIGESTS } from './common-password-digests.ts';

const DIGEST_BYTES = 6;
/** In base64, which has no padding here. */
const DIGEST_CHARACTERS = 8;

/**
 * Whether `password` is a common one, ignoring case: one of the 9,728 of at least 15 characters among the first million of Mark Burnett's list
 * of
 * leaked passwords (`10-million-password-list-top-1000000.txt` in SecLists, public domain). Stored as the first 6 bytes of SHA-256 in lower
 * case and
 * NFC, because they were real and many are obscene. False positives: below one in 10^10.
 */
export function isCommonPassword(password: string): boolean {
  const text = password.normalize('NFC').toLowerCase();
  const digest = createHash('sha256').update(text).digest().toString('base64', 0, DIGEST_BYTES);
  return COMMON_PASSWORD_DIGESTS.indexOf(digest) % DIGEST_CHARACTERS === 0;
}

export interface PasswordOwner {
  readonly email: string;
  readonly name: string;
}

/** Words that are common in passwords for this service. */
const SERVICE_WORDS = ['headroom', 'password', 'passwort', 'login', 'admin'];
/** Shorter words are part of too many others. */
const WORD_MINIMUM_LENGTH = 3;
const KNOWN_ORDERS = ['1234567890', 'qwertyuiop', 'qwertzuiop', 'asdfghjkl', 'zxcvbnm', 'yxcvbnm'];
/** Up to this many straight runs ("12345678" "87654321") make a password that is guessed first. */
const RUNS_MAXIMUM = 3;

/** Whether `password` repeats a shorter one: the period is below the minimum length. */
function isRepetition(characters: readonly string[]): boolean {
  const longest = Math.min(PASSWORD_MINIMUM_LENGTH - 1, Math.floor(characters.length / 2));
  for (let period = 1; period <= longest; period += 1) {
    const repeats = characters.every(
      (character, index) => index < period || character === characters[index - period],
    );
    if (repeats) return true;
  }
  return false;
}

function areNeighbours(first: string, second: string): boolean {
  const distance = (second.codePointAt(0) ?? 0) - (first.codePointAt(0) ?? 0);
  if (Math.abs(distance) <= 1) return true;
  return KNOWN_ORDERS.some(
    (order) => order.includes(first + second) || order.includes(second + first),
  );
}

function isMadeOfRuns(characters: readonly string[]): boolean {
  const breaks = characters
    .slice(1)
    .filter((character, index) => !areNeighbours(characters[index] ?? '', character));
  return breaks.length < RUNS_MAXIMUM;
}

const lettersOf = (text: string) => text.toLowerCase().replace(/[^\p{L}]/gu, '');

/** Whether the letters of `password` are only words of its owner and of this service. */
function isMadeOfKnownWords(password: string, { email, name }: PasswordOwner): boolean {
  const words = [...email.split(/[^\p{L}]+/u), ...name.split(/[^\p{L}]+/u), ...SERVICE_WORDS]
    .map(lettersOf)
    .filter((word) => word.length >= WORD_MINIMUM_LENGTH)
    .sort((first, second) => second.length - first.length);
  const letters = lettersOf(password);
  if (letters === '') return false;
  return words.reduce((rest, word) => rest.replaceAll(word, ''), letters) === '';
}

/**
 * Checks a new password by NIST SP 800-63B-4, 3.1.1.2: a length (in the schema `newPassword`), a list of common, expected and leaked
 * passwords, and
 * no rules about kinds of characters. https://pages.nist.gov/800-63-4/sp800-63b.html
 *
 * @returns the fault, completing a sentence that begins with the field's name; null for a good password.
 */
export function objectionToPassword(password: string, owner: PasswordOwner): string | null {
  const characters = [...password.normalize('NFC').toLowerCase()];
  if (isCommonPassword(password)) {
    return 'is among the passwords that are tried first, because many people had it; choose another';
  }
  if (isRepetition(characters) || isMadeOfRuns(characters)) {
    return 'is a repetition or a row of neighbouring keys, which is tried first; choose another';
  }
  if (isMadeOfKnownWords(password, owner)) {
    return 'is made of your name, your email address or the name of this service; choose another';
  }
  return null;
}
