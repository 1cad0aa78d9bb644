import { describe, expect, it } from 'vitest';
import { isoInstant } from '../../../../services/user-api/users/user-row.ts';

describe('an instant as PostgreSQL writes it', () => {
  it.each([
    ['without a fraction', '2026-11-21 20:58:12+00', '2026-11-21T20:58:12.000Z'],
    [
      'with fewer digits than milliseconds have',
      '2026-11-21 20:58:12.5+00',
      '2026-11-21T20:58:12.500Z',
    ],
    [
      'with microseconds, which are cut off',
      '2026-11-21 20:58:12.987999+00',
      '2026-11-21T20:58:12.987Z',
    ],
    [
      'in another time zone, over midnight',
      '2026-12-31 23:30:00.25-05',
      '2027-01-01T04:30:00.250Z',
    ],
    ['in a zone with minutes', '2026-11-21 20:58:12+05:30', '2026-11-21T15:28:12.000Z'],
    ['as JSON has it', '2026-11-21T20:58:12.345678+00:00', '2026-11-21T20:58:12.345Z'],
  ])('%s, is written in RFC 3339, in UTC with milliseconds', (_, text, expected) => {
    expect(isoInstant(text)).toBe(expected);
  });

  it('of any time, is the instant that JavaScript reads there', () => {
    for (let microseconds = 0; microseconds < 1_000_000; microseconds += 7_919) {
      const fraction = String(microseconds).padStart(6, '0').replace(/0+$/, '');
      const text = `2026-02-28 23:59:59${fraction === '' ? '' : `.${fraction}`}+00`;
      expect(isoInstant(text)).toBe(new Date(text).toISOString());
    }
  });
});
