import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Problem } from '../../../../services/user-api/http/problem.ts';
import { parseBody, parseQuery } from '../../../../services/user-api/http/validation.ts';

const schema = z.strictObject({ name: z.string(), email: z.string() });
const BODY_BYTES = 60_000;
/** 20 errors with names of 100 characters, each escaped to up to 6 bytes. */
const RESPONSE_MAXIMUM_BYTES = 20_000;

function problemOf(parse: () => unknown): Problem {
  try {
    parse();
  } catch (error) {
    if (error instanceof Problem) return error;
  }
  throw new Error('Nothing was refused');
}

const detailsOf = (parse: () => unknown) => problemOf(parse).details('request');

describe('a body that is refused', () => {
  it.each([
    ['one long unknown name', () => ({ ['x'.repeat(BODY_BYTES)]: 1 })],
    ['one long name of escaped characters', () => ({ ['\u0001'.repeat(BODY_BYTES / 6)]: 1 })],
    ['one name of halves of characters', () => ({ ['\ud800'.repeat(BODY_BYTES / 6)]: 1 })],
    [
      'very many unknown names',
      () => Object.fromEntries(Array.from({ length: BODY_BYTES / 6 }, (_, at) => [String(at), 1])),
    ],
    [
      'many long unknown names',
      () =>
        Object.fromEntries(
          Array.from({ length: 100 }, (_, at) => [`${at}${'~'.repeat(BODY_BYTES / 100)}`, 1]),
        ),
    ],
  ])('for %s, gets a response in fewer bytes than it had', (_what, body) => {
    const details = detailsOf(() => parseBody(schema, body()));
    expect(Buffer.byteLength(JSON.stringify(details))).toBeLessThan(RESPONSE_MAXIMUM_BYTES);
  });

  it('names the first errors and how many there are; a name is cut to 100 characters', () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`unknown${at}`, 1]));
    const details = detailsOf(() => parseBody(schema, { ...many, name: 'a', email: 'b' }));
    expect(details.errors).toHaveLength(20);
    expect(details.errors?.[0]).toMatchObject({ pointer: '/unknown0' });
    expect(details.detail).toContain('There are 40 errors in all.');

    const long = { name: 'a', email: 'b', ['x'.repeat(101)]: 1 };
    expect(detailsOf(() => parseBody(schema, long)).errors).toEqual([
      { pointer: `/${'x'.repeat(100)}`, detail: 'is not taken here; what is taken: name, email' },
    ]);
  });

  it('of a body that is no object, names no place', () => {
    const details = detailsOf(() => parseBody(schema, []));
    expect(details.detail).toBe('The body is not valid.');
    expect(details.errors).toMatchObject([{ pointer: '' }]);
  });

  it('in its sentence, names ten places and each once', () => {
    const many = Object.fromEntries(Array.from({ length: 15 }, (_, at) => [`f${at}`, 1]));
    const details = detailsOf(() => parseBody(schema, { ...many, name: 'a', email: 'b' }));
    expect(details.detail).toBe(
      'The body is not valid: /f0, /f1, /f2, /f3, /f4, /f5, /f6, /f7, /f8, /f9.',
    );
  });

  it('of few errors, names all and counts none', () => {
    const details = detailsOf(() => parseBody(schema, { 'a/b~c': 1, name: 1, email: 'b' }));
    expect(details.detail).toBe('The body is not valid: /name, /a~1b~0c.');
  });
});

describe('a query', () => {
  it('is parsed; a URL without one has an empty one', () => {
    const found = parseQuery(schema, '/users?name=A%20B&email=a%2Bb');
    expect(found).toEqual({ name: 'A B', email: 'a+b' });
    expect(parseQuery(z.strictObject({ name: z.string().optional() }), '/users')).toEqual({});
  });

  it('that is refused, names the parameters', () => {
    const details = detailsOf(() => parseQuery(schema, '/users?name=a&mail=b'));
    expect(details.detail).toBe('The query is not valid: email, mail.');
    expect(details.errors).toMatchObject([
      { parameter: 'email' },
      { parameter: 'mail', detail: 'is not taken here; what is taken: name, email' },
    ]);
  });

  it('cuts the name of a parameter that is given twice', () => {
    const name = 'n'.repeat(2_000);
    const details = detailsOf(() => parseQuery(schema, `/users?${name}=1&${name}=2`));
    expect(details.detail).toBe(`The query is not valid: ${'n'.repeat(100)}.`);
    expect(details.errors).toEqual([
      { parameter: 'n'.repeat(100), detail: 'is given more than once' },
    ]);
  });
});
