import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { createApiKeyText } from '../../../../../services/user-api/auth/api-keys/api-key-text.ts';
import { ApiKeyVerifier } from '../../../../../services/user-api/auth/api-keys/api-key-verifier.ts';
import { Revocations } from '../../../../../services/user-api/auth/revocations/revocations.ts';

/** 10,000 are remembered, at some 150 bytes each; 60,000 would take twice as much as this. */
const BYTES_MAXIMUM = 4_000_000;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');
const heapBytes = () => {
  collectGarbage();
  return process.memoryUsage().heapUsed;
};

it('keys that nobody has take 4 MB at most, however many come and however long they are', async () => {
  let asked = 0;
  const verifier = new ApiKeyVerifier({
    repository: {
      findGrant: async () => {
        asked += 1;
        return null;
      },
    },
    revocations: new Revocations(600),
    uses: { record: () => {} },
    unknownKeys: { attempt: () => ({ withdraw: () => {} }) },
  });
  const here = '192.0.2.1';
  await verifier.verify(createApiKeyText(), here);
  const before = heapBytes();

  for (let time = 0; time < 60_000; time += 1) await verifier.verify(createApiKeyText(), here);
  const withForm = heapBytes() - before;
  asked = 0;
  const padding = 'x'.repeat(15_000);
  for (let time = 0; time < 20_000; time += 1) {
    expect(await verifier.verify(`hrk_${time}${padding}`, here)).toBeNull();
  }

  expect(withForm).toBeLessThan(BYTES_MAXIMUM);
  expect(heapBytes() - before).toBeLessThan(BYTES_MAXIMUM);
  expect(asked).toBe(0);
});
