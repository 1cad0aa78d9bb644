import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  API_KEY_PATTERN,
  apiKeyHash,
  apiKeyPrefix,
  createApiKeyText,
  isApiKeyText,
} from '../../../../../services/user-api/auth/api-keys/api-key-text.ts';

/** The CRC of a text in base62, as the format has it. */
function checksumOf(text: string): string {
  const digits = [...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'];
  const crc = crc32(text);
  return [5, 4, 3, 2, 1, 0].map((place) => digits[Math.floor(crc / 62 ** place) % 62]).join('');
}

describe('the text of an API key', () => {
  it('has the form that scanners are notified of, a checksum, and no character that breaks a double click', () => {
    for (let times = 0; times < 500; times += 1) {
      const key = createApiKeyText();
      expect(key).toMatch(new RegExp(`^${API_KEY_PATTERN}$`));
      expect(key).toMatch(/^\w{53}$/);
      expect(isApiKeyText(key)).toBe(true);
      expect(key.startsWith(apiKeyPrefix(key))).toBe(true);
    }
  });

  it('is told from one with a typing mistake: a changed character, two that changed places, one too many or too few', () => {
    const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    fc.assert(
      fc.property(fc.nat(51), fc.constantFrom(...alphabet), (at, character) => {
        const key = createApiKeyText();
        const swapped = key.slice(0, at) + key[at + 1] + key[at] + key.slice(at + 2);
        const mistakes = [
          key.slice(0, at) + character + key.slice(at + 1),
          swapped,
          key.slice(0, at) + key.slice(at + 1),
          key.slice(0, at) + character + key.slice(at),
        ];
        for (const mistake of mistakes) {
          if (mistake !== key) expect(isApiKeyText(mistake)).toBe(false);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('stays good when the service is updated: its checksum, prefix and stored hash never change', () => {
    const key = 'hrk_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg2sOWnY';

    expect(isApiKeyText(key)).toBe(true);
    expect(apiKeyPrefix(key)).toBe('hrk_01234567');
    expect(apiKeyHash(key)).toBe('CrYQlIPrCE0BZcFEnVEzJ6OaUK1clFL4BpL4YXjvip8');
  });

  it('is nothing without its prefix, whatever the checksum', () => {
    expect(isApiKeyText(createApiKeyText().slice(4))).toBe(false);
    const text = 'x'.repeat(47);
    expect(isApiKeyText(text + checksumOf(text))).toBe(false);
  });

  it('is nothing else that anybody sends', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(isApiKeyText(text)).toBe(false);
        expect(isApiKeyText(`hrk_${text}`)).toBe(false);
      }),
    );
  });
});
