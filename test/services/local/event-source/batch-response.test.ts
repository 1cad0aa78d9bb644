import { describe, expect, it } from 'vitest';
import { judgeResponse } from '../../../../services/local/event-source/batch-response.ts';

const batch = ['a', 'b', 'c'];

describe('A partial batch response', () => {
  it.each([
    ['nothing', undefined],
    ['null', 'null'],
    ['an empty object', '{}'],
    ['an object about something else', '{"statusCode":200}'],
    ['a null list', '{"batchItemFailures":null}'],
    ['an empty list', '{"batchItemFailures":[]}'],
  ])('that is %s means that the whole batch succeeded', (_, payload) => {
    expect(judgeResponse(payload, batch)).toEqual({ failed: new Set() });
  });

  it.each([
    ['text', '"done"'],
    ['a number', '1'],
    ['a list', '[]'],
    ['a list that is no list', '{"batchItemFailures":"a"}'],
    ['an empty identifier', '{"batchItemFailures":[{"itemIdentifier":""}]}'],
    ['a null identifier', '{"batchItemFailures":[{"itemIdentifier":null}]}'],
    ['a bad key name', '{"batchItemFailures":[{"itemIdentifer":"a"}]}'],
    ['a message of no batch', '{"batchItemFailures":[{"itemIdentifier":"z"}]}'],
    ['a good identifier and a bad one', '{"batchItemFailures":[{"itemIdentifier":"a"},{}]}'],
  ])('with %s means that the whole batch failed, and says why', (_, payload) => {
    expect(judgeResponse(payload, batch)).toEqual({
      failed: new Set(batch),
      problem: expect.stringMatching(/./),
    });
  });

  it('that names messages means that those failed', () => {
    const payload = '{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"b"}]}';
    expect(judgeResponse(payload, batch)).toEqual({ failed: new Set(['b']) });
  });
});
