import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEntry, headOf } from '../../../../services/user-api/cache/redis-entries.ts';

/** The format in short, which reading byte by byte has to agree with. */
const ENTRY = /^([vd])(\d{1,10}) ([!-\xff]{1,8}) (\d{1,15}) (\d{1,9})\n(.*)$/s;

const digits = (maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength });
/** Entries, and what is nearly one. */
const texts = fc
  .tuple(
    fc.constantFrom('v', 'd', 'x', ''),
    digits(12),
    fc.constantFrom(' ', '  ', '\n', ''),
    fc.string({ unit: fc.constantFrom('1', 'a', '\n', '\t', ' '), maxLength: 10 }),
    fc.constantFrom(' ', ''),
    digits(17),
    fc.constantFrom(' ', '-'),
    digits(11),
    fc.constantFrom('\n', ' ', ''),
    fc.string({ unit: fc.constantFrom('{', '\n', ' ', '7', '\xe9'), maxLength: 100 }),
  )
  .map((parts) => parts.join(''));
const wellFormed = fc
  .tuple(
    fc.constantFrom('v', 'd'),
    fc.integer({ min: 0, max: 2_147_483_648 }),
    fc.constantFrom('1', '12', 'abcdefgh'),
    fc.nat({ max: 2_000 }),
    fc.nat({ max: 999_999_999 }),
    fc.string({ unit: fc.constantFrom('{', '\n', ' ', '7', '\xe9'), maxLength: 100 }),
  )
  .map(([kind, version, made, until, load, body]) =>
    [`${kind}${version}`, made, until, `${load}\n${body}`].join(' '),
  );

/** Entries of which a piece of the head is missing, or another one is there. */
const spoilt = fc
  .tuple(
    wellFormed,
    fc.nat({ max: 30 }),
    fc.nat({ max: 4 }),
    fc.constantFrom('', ' ', '\n', '1', '1234567890', '/', ':', 'a'),
  )
  .map(([text, place, length, piece]) => text.slice(0, place) + piece + text.slice(place + length));

const NOW = 1_000;

describe('an entry as it is written in Redis', () => {
  it('is read as its format says, and nothing else is', () => {
    fc.assert(
      fc.property(fc.oneof(texts, wellFormed, spoilt, spoilt), (text) => {
        const decoded = decodeEntry(Buffer.from(text, 'latin1'), '1', NOW);
        const parts = ENTRY.exec(text);
        if (parts === null) {
          expect(decoded).toBeNull();
          return;
        }
        const [, kind, version, made, until, load, body = ''] = parts;
        expect(decoded).toEqual({
          version: Number(version),
          body: kind === 'v' ? Buffer.from(body, 'latin1') : null,
          fresh: NOW < Number(until) && (kind === 'd' || made === '1'),
          freshUntil: Number(until),
          loadMilliseconds: Number(load),
        });
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([Buffer.from('{"id":1}'), null])('begins with its head: of %s', (body) => {
    const bytes = Buffer.concat([
      Buffer.from(`${headOf({ version: 7, body }, 'abcdefgh')}2000 3\n`),
      body ?? Buffer.alloc(0),
    ]);
    expect(decodeEntry(bytes, 'abcdefgh', NOW)).toEqual({
      version: 7,
      body,
      fresh: true,
      freshUntil: 2_000,
      loadMilliseconds: 3,
    });
  });
});
