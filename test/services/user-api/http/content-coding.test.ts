import { describe, expect, it } from 'vitest';
import { acceptsGzip } from '../../../../services/user-api/http/request-headers.ts';

describe('acceptsGzip', () => {
  // RFC 9110, 12.5.3.
  it.each([
    [undefined, false],
    ['', false],
    ['gzip', true],
    ['gzip, deflate, br', true],
    ['deflate, gzip', true],
    ['br;q=1.0, gzip;q=0.8, *;q=0.1', true],
    ['GZIP', true],
    ['deflate, x-gzip', true],
    ['br , gzip ; q=0.001 ', true],
    ['br, gzip;q=1', true],
    ['br, gzip;q=0', false],
    ['br, gzip;q=0.000', false],
    ['gzip;q=0, *', false],
    ['*', true],
    ['*;q=0', false],
    ['*, gzip;q=0', false],
    ['br', false],
    ['gzipped', false],
    ['br, gzip;q=2', false],
    ['br, gzip;q=0.1234', false],
    ['br, gzip;q', false],
    [['br', 'gzip'], true],
  ])('%j: %s', (header, expected) => {
    expect(acceptsGzip(header)).toBe(expected);
  });
});
