import type { ServerResponse } from 'node:http';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type ResponseInFlight,
  ResponsesInFlight,
} from '../../../../services/user-api/app/pipeline.ts';
import type { ApiRequest } from '../../../../services/user-api/http/environment.ts';

it('ResponsesInFlight, in whatever order answers end, has those that have not', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat()), { maxLength: 60 }), (steps) => {
      const list = new ResponsesInFlight();
      const expected = new Map<ResponseInFlight, ServerResponse<ApiRequest>>();
      for (const step of steps) {
        const ending =
          step === null ? undefined : [...expected.keys()][step % (expected.size || 1)];
        if (ending === undefined) {
          // They differ by identity alone.
          const outgoing = {} as ServerResponse<ApiRequest>;
          expected.set(list.add(outgoing), outgoing);
        } else {
          list.remove(ending);
          expected.delete(ending);
        }
        expect(list.size).toBe(expected.size);
        const responses = [...list];
        expect(responses).toHaveLength(expected.size);
        expect(new Set(responses)).toEqual(new Set(expected.values()));
        for (const outgoing of expected.values()) expect(responses.includes(outgoing)).toBe(true);
      }
    }),
  );
});
