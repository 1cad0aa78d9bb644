import { describe, expect, it } from 'vitest';
import {
  allowsVersion,
  entityTag,
  isConditional,
  matchesEntityTag,
  namesStrongTag,
  versionCondition,
} from '../../../../services/user-api/http/request-headers.ts';

describe('entityTag', () => {
  it('names the version, and the representation where there are several', () => {
    expect([entityTag(7), entityTag(7, 'own')]).toEqual(['"v7"', '"v7-own"']);
  });
});

describe('a list of entity tags', () => {
  // RFC 9110, 13.1.1 and 13.1.2: If-None-Match compares weakly, If-Match strongly.
  it.each([
    ['"v7"', true, true],
    ['"v6", "v7"', true, true],
    ['"v6","v7","v8"', true, true],
    ['W/"v7"', true, false],
    ['"v6", W/"v7"', true, false],
    ['*', true, false],
    [' * ', true, false],
    ['"v70"', false, false],
    ['"w7"', false, false],
    ['v7', false, false],
    ['', false, false],
    ['"a", *', false, false],
  ])('%s: matches weakly %s, strongly %s', (header, weakly, strongly) => {
    expect([matchesEntityTag(header, '"v7"'), namesStrongTag(header, '"v7"')]).toEqual([
      weakly,
      strongly,
    ]);
  });

  it('may have any character in a tag that RFC 9110 has', () => {
    const tag = '"!#~\u0080\u00ff,W/"';
    expect(matchesEntityTag(`"x", ${tag}`, tag)).toBe(true);
    expect(namesStrongTag(`"x", ${tag}`, tag)).toBe(true);
  });
});

describe('the preconditions of a change', () => {
  it.each([
    [{}, [true, true, true]],
    [{ 'if-modified-since': 'Sun, 06 Nov 1994 08:49:37 GMT' }, [true, true, true]],
    [{ 'if-match': '*' }, [true, true, true]],
    [{ 'if-match': ' * ' }, [true, true, true]],
    [{ 'if-match': '"v2"' }, [false, true, false]],
    [{ 'if-match': '"v1", "v2-own-gzip"' }, [true, true, false]],
    [{ 'if-match': 'W/"v2"' }, [false, false, false]],
    [{ 'if-match': '"v02"' }, [false, false, false]],
    [{ 'if-match': '"v2-"' }, [false, false, false]],
    [{ 'if-match': '"xv2"' }, [false, false, false]],
    [{ 'if-match': '' }, [false, false, false]],
    [{ 'if-none-match': '"v2"' }, [true, false, true]],
    [{ 'if-none-match': 'W/"v2", "v3"' }, [true, false, false]],
    [{ 'if-none-match': '*' }, [false, false, false]],
    [{ 'if-none-match': ' *' }, [false, false, false]],
    [{ 'if-match': '"v1", "v2"', 'if-none-match': '"v1"' }, [false, true, false]],
    [{ 'if-match': '*', 'if-none-match': '*' }, [false, false, false]],
    [{ 'if-unmodified-since': 'Sun, 06 Nov 1994 08:49:37 GMT' }, [false, false, false]],
    // RFC 9110, 13.1.4: If-Match makes it void.
    [{ 'if-match': '"v1"', 'if-unmodified-since': 'x' }, [true, false, false]],
  ] as const)('%j: hold for versions 1, 2, 3: %j', (headers, expected) => {
    const condition = versionCondition({ ...headers });
    expect([1, 2, 3].map((version) => allowsVersion(condition, version))).toEqual(expected);
    const about = ['if-match', 'if-none-match', 'if-unmodified-since'];
    const isAboutChanges = Object.keys(headers).some((name) => about.includes(name));
    expect(isConditional({ ...headers })).toBe(isAboutChanges);
    expect(condition === null).toBe(!isAboutChanges);
  });

  it('never name a version that the database cannot hold', () => {
    const tags = ['"v2147483647"', '"v2147483648"', '"v99999999999"'].join();
    expect(versionCondition({ 'if-match': tags })?.allowed).toEqual([2_147_483_647]);
  });
});
