import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiKeyUses } from '../../../../../services/user-api/auth/api-keys/api-key-uses.ts';
import { createLogger } from '../../../../../services/user-api/observability/logger.ts';

describe('ApiKeyUses', () => {
  let written: (readonly number[])[];
  let isUp: boolean;
  let lines: { level: string; message: string; keys: number }[];
  let uses: ApiKeyUses;

  const start = (options: ConstructorParameters<typeof ApiKeyUses>[2]) =>
    new ApiKeyUses(
      {
        async recordUses(apiKeyIds) {
          if (!isUp) throw new Error('down');
          written.push(apiKeyIds);
        },
      },
      createLogger(
        { LOG_LEVEL: 'info', STAGE: 'test' },
        { write: (line) => void lines.push(JSON.parse(line)) },
      ),
      options,
    );

  beforeEach(() => {
    [written, isUp, lines] = [[], true, []];
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    vi.spyOn(Math, 'random').mockReturnValue(0);
    uses = start({});
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('writes each key once for all its uses, every half to whole interval, and nothing for none', async () => {
    uses.start();
    for (const id of [1, 2, 1]) uses.record(id);
    await vi.advanceTimersByTimeAsync(14_999);
    expect(written).toEqual([]);
    vi.mocked(Math.random).mockReturnValue(0.999_999);
    await vi.advanceTimersByTimeAsync(1);
    expect(written).toEqual([[1, 2]]);

    uses.record(3);
    await vi.advanceTimersByTimeAsync(29_900);
    expect(written).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(100);
    expect(written).toEqual([[1, 2], [3]]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(written).toHaveLength(2);
  });

  it('writes what is left when it is closed, and then no more', async () => {
    uses = start({ writeIntervalMilliseconds: 100 });
    uses.start();
    uses.record(1);
    await uses.close();
    expect(written).toEqual([[1]]);

    uses.start();
    uses.record(2);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(written).toEqual([[1]]);
  });

  it('passes over what could not be written, and says so', async () => {
    isUp = false;
    uses.record(1);
    uses.record(2);
    await uses.write();
    isUp = true;
    await uses.write();

    expect(written).toEqual([]);
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        message: 'Last uses of API keys were not stored',
        keys: 2,
        error: expect.objectContaining({ message: 'down' }),
      }),
    ]);
  });

  it('remembers 10,000 keys at most', async () => {
    for (let id = 1; id <= 10_001; id += 1) uses.record(id);
    await uses.write();

    expect(written[0]).toHaveLength(10_000);
  });
});
