import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ApiKeyGrant } from '../../../../../services/user-api/auth/api-keys/api-key-repository.ts';
import { createApiKeyText } from '../../../../../services/user-api/auth/api-keys/api-key-text.ts';
import { ApiKeyVerifier } from '../../../../../services/user-api/auth/api-keys/api-key-verifier.ts';
import { Revocations } from '../../../../../services/user-api/auth/revocations/revocations.ts';
import { DatabaseUnavailable } from '../../../../../services/user-api/database/errors.ts';

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;
const here = '192.0.2.1';
const grant: ApiKeyGrant = {
  apiKeyId: 5,
  userId: 17,
  role: 'user',
  status: 'active',
  generation: 1,
  scopes: [],
  expiresAt: NOW + 24 * 60 * MINUTE,
};

describe('ApiKeyVerifier', () => {
  let asked: string[];
  let response: (hash: string, on: 'reader' | 'writer') => Promise<ApiKeyGrant | null>;
  let counted: number;
  let uses: number[];
  let revocations: Revocations;
  let verifier: ApiKeyVerifier;
  const key = createApiKeyText();

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'], now: NOW });
    [asked, counted, uses] = [[], 0, []];
    response = async () => grant;
    revocations = new Revocations(670);
    verifier = new ApiKeyVerifier({
      repository: {
        findGrant(hash, on) {
          asked.push(on);
          return response(hash, on);
        },
      },
      revocations,
      uses: { record: (id) => void uses.push(id) },
      unknownKeys: {
        attempt() {
          counted += 1;
          return {
            withdraw() {
              counted -= 1;
            },
          };
        },
      },
    });
  });
  afterEach(() => void vi.useRealTimers());

  const down = async () => {
    throw new DatabaseUnavailable('down', { outcome: 'not applied' });
  };

  it('knows a good key for a minute without asking, and its use each time', async () => {
    expect(await verifier.verify(key, here)).toEqual(grant);
    vi.advanceTimersByTime(MINUTE - 1);
    expect(verifier.verify(key, here)).toEqual(grant);
    expect(asked).toEqual(['reader']);
    expect(uses).toEqual([5, 5]);

    vi.advanceTimersByTime(1);
    expect(await verifier.verify(key, here)).toEqual(grant);
    expect(asked).toEqual(['reader', 'reader']);
    expect(counted).toBe(0);
  });

  it('goes on with a good key for ten minutes while no database answers, but not when it has ended', async () => {
    await verifier.verify(key, here);
    response = down;
    vi.advanceTimersByTime(10 * MINUTE - 1);
    expect(await verifier.verify(key, here)).toEqual(grant);
    expect(uses).toEqual([5, 5]);
    vi.advanceTimersByTime(1);
    await expect(verifier.verify(key, here)).rejects.toBeInstanceOf(DatabaseUnavailable);

    response = async () => ({ ...grant, expiresAt: Date.now() + 2 * MINUTE });
    await verifier.verify(key, here);
    response = down;
    vi.advanceTimersByTime(2 * MINUTE - 1);
    expect(await verifier.verify(key, here)).toMatchObject({ apiKeyId: 5 });
    vi.advanceTimersByTime(1);
    await expect(verifier.verify(key, here)).rejects.toBeInstanceOf(DatabaseUnavailable);
  });

  it('does not hide a mistake behind what it knows', async () => {
    await verifier.verify(key, here);
    response = () => Promise.reject(new TypeError('a mistake'));
    vi.advanceTimersByTime(MINUTE);

    await expect(verifier.verify(key, here)).rejects.toBeInstanceOf(TypeError);
  });

  it('ends with the key: in time, with its owner, and when it was revoked, without asking', async () => {
    for (const ended of [
      { ...grant, expiresAt: NOW },
      { ...grant, status: 'inactive' },
    ] as const) {
      response = async () => ended;
      const other = createApiKeyText();
      expect(await verifier.verify(other, here)).toBeNull();
      expect(verifier.verify(other, here)).toBeNull();
    }
    response = async () => grant;
    await verifier.verify(key, here);
    revocations.add({ kind: 'api-key', apiKeyId: 5 });
    expect(verifier.verify(key, here)).toBeNull();
    expect(asked).toHaveLength(3);
    expect(uses).toEqual([5]);
  });

  it('knows for five seconds that there is no such key, then asks again', async () => {
    response = async () => null;
    expect(await verifier.verify(key, here)).toBeNull();
    expect(asked).toEqual(['reader', 'writer']);
    vi.advanceTimersByTime(4_999);
    expect(verifier.verify(key, here)).toBeNull();
    expect(asked).toHaveLength(2);

    vi.advanceTimersByTime(1);
    response = async () => grant;
    expect(await verifier.verify(key, here)).toEqual(grant);
    expect(verifier.verify(key, here)).toEqual(grant);
    expect(counted).toBe(1);
  });

  it('knows a key no longer that was deleted since', async () => {
    await verifier.verify(key, here);
    response = async () => null;
    vi.advanceTimersByTime(MINUTE);
    expect(await verifier.verify(key, here)).toBeNull();
    response = down;
    vi.advanceTimersByTime(5_000);

    await expect(verifier.verify(key, here)).rejects.toBeInstanceOf(DatabaseUnavailable);
    expect(counted).toBe(0);
  });

  it('looks a key up once at a time, however the lookup ends', async () => {
    response = down;
    const failed = await Promise.allSettled([1, 2, 3].map(() => verifier.verify(key, here)));
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(asked).toEqual(['reader']);

    response = async () => grant;
    await Promise.all([1, 2, 3].map(() => verifier.verify(key, here)));
    expect(asked).toEqual(['reader', 'reader']);
    expect(counted).toBe(0);
  });

  it('asks the writer about four unknown keys at once at most, again and again', async () => {
    response = async (_hash, on) => {
      if (on === 'writer') await new Promise((resolve) => setImmediate(resolve));
      return null;
    };
    for (let round = 1; round <= 2; round += 1) {
      await Promise.all(Array.from({ length: 6 }, () => verifier.verify(createApiKeyText(), here)));
      expect(asked.filter((on) => on === 'writer')).toHaveLength(4 * round);
    }
  });

  it('asks the writer however many ask when a reader is behind', async () => {
    revocations.add({ kind: 'user', userId: 17, generation: 2 });
    response = async (_hash, on) => {
      if (on === 'reader') return grant;
      await new Promise((resolve) => setImmediate(resolve));
      return { ...grant, generation: 2 };
    };

    const found = await Promise.all(
      Array.from({ length: 6 }, () => verifier.verify(createApiKeyText(), here)),
    );

    expect(found.map((each) => each?.generation)).toEqual(Array(6).fill(2));
  });

  it('remembers 10,000 keys, and forgets the one whose last lookup is longest ago', async () => {
    const [first = '', second = '', ...others] = Array.from({ length: 10_000 }, createApiKeyText);
    for (const each of [first, second, ...others]) await verifier.verify(each, here);
    vi.advanceTimersByTime(MINUTE);
    await verifier.verify(second, here);
    await verifier.verify(key, here);
    response = down;

    for (const each of [second, others[0] ?? '', key]) {
      expect(await verifier.verify(each, here)).toEqual(grant);
    }
    await expect(verifier.verify(first, here)).rejects.toBeInstanceOf(DatabaseUnavailable);
  });
});
