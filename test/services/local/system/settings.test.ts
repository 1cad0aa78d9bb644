import { describe, expect, it } from 'vitest';
import { readSettings } from '../../../../services/local/system/settings.ts';
import { parseArguments } from '../../../../services/local/system/start-options.ts';
import { checkSettings } from '../../../../services/user-api/app/check-settings.ts';

const read = (environment: Readonly<Record<string, string>>) =>
  readSettings(environment, { followLogs: false, highLimits: false }, checkSettings);

describe('the settings of npm start', () => {
  it('have defaults', () => {
    expect(read({})).toMatchObject({ host: '127.0.0.1', port: 3000, mailboxPort: 8025 });
  });

  it.each([
    [{ PORT: 'http' }, /^PORT got "http"; it takes a whole number from 0 to 65535$/],
    [{ DATABASE_URL: 'mysql://localhost/x' }, /^DATABASE_URL got "mysql:\/\/localhost\/x"/],
    [{ DATABASE_READER_URLS: 'postgres://a@b/c' }, /^DATABASE_READER_URLS .* DATABASE_URL is not/],
    [{ SQS_ENDPOINT: 'http://127.0.0.1:1' }, /EMAIL_QUEUE_URL is not/],
    // Of the programs that it starts.
    [{ NEAR_CACHE_BYTES: '1 GB' }, /^NEAR_CACHE_BYTES got "1 GB"/],
    [{ EMAIL_TRANSPORT: 'smtp' }, /^EMAIL_TRANSPORT got "smtp"/],
    [{ RATE_LIMITS: 'raeds=5/60' }, /^RATE_LIMITS got "raeds=5\/60".* Did you mean "reads"/],
    [{ ACCESS_TOKEN_KEYS: '{"keys":[]}' }, /^ACCESS_TOKEN_KEYS is not a set/],
    [{ DATABASE_AUTHENTICATION: 'iam' }, /^DATABASE_TLS got "disable"/],
    [{ PORT: 'http', RATE_LIMITS: 'raeds=5/60' }, /PORT got[\s\S]*RATE_LIMITS got/],
  ])('name a mistake such as %j', (environment, message) => {
    expect(() => read(environment)).toThrow(message);
  });
});

describe('the options of npm start', () => {
  it('are read', () => {
    expect(parseArguments([])).toEqual({ followLogs: false, highLimits: false });
    expect(parseArguments(['--logs', '--high-limits'])).toEqual({
      followLogs: true,
      highLimits: true,
    });
  });

  it('may be explained', () => {
    expect(parseArguments(['--logs', '--help'])).toMatch(/^Usage: npm start[\s\S]*--high-limits/);
  });

  it.each([
    ['--high-limit', 'Did you mean --high-limits?'],
    ['logs', 'too many arguments'],
  ])('are known ones: not %s', (word, message) => {
    expect(() => parseArguments([word])).toThrow(message);
  });
});
