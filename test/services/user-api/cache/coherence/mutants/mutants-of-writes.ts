import type { Mutant } from './mutant.ts';

const CACHE = 'services/user-api/cache';

/** Guards of what is told of writes, and of what Redis takes in. */
export const mutantsOfWrites: readonly Mutant[] = [
  {
    without: 'compare-and-set in Redis',
    file: `${CACHE}/raise-script.ts`,
    original: 'if held and held > tonumber(version) then return current end',
    replacement: '',
    story: [
      'The user is in the database.',
      'A: read, held up at: raise sent',
      'C: lose subscription',
      'B: write',
      'A: open gates',
      'C: read',
    ],
  },
  {
    without: 'telling of a write in the step that sets it',
    file: `${CACHE}/raise-script.ts`,
    original: "if message ~= '' then redis.call('PUBLISH', channel, message) end",
    replacement: '',
    story: ['The user is in Redis.', 'B: write'],
  },
  {
    without: 'a tombstone above every version of its row',
    file: 'services/user-api/users/users.ts',
    original: '{ version: version + 1, body: null }',
    replacement: '{ version, body: null }',
    story: [
      'The user is in the database.',
      'A: read, held up at: raise sent',
      'C: lose subscription',
      'B: delete',
      'A: open gates',
      'C: read',
    ],
  },
  {
    without: 'waiting for Redis before a write is answered',
    file: `${CACHE}/write-publisher.ts`,
    original: "const isShared = await this.#share(id, entry, 'write');",
    replacement: "void this.#share(id, entry, 'write');\n    const isShared = true;",
    story: ['The user is in Redis.', 'B: write, held up at: raise sent', 'A: read'],
  },
  {
    without: "a write going into the writer's own near cache",
    file: 'services/user-api/users/user-caching.ts',
    original: 'near.write(id, entry);',
    replacement: '',
    story: ['The user is in Redis.', 'A: read', 'A: hold words', 'A: write', 'A: read'],
  },
  {
    without: 'telling Redis again what it may have lost',
    file: 'services/user-api/users/user-caching.ts',
    original: 'if (redis !== null) onServerChange(redis.commands, () => writes.publishAgain());',
    replacement: '',
    story: [
      'The user is in Redis.',
      'A: lose subscription',
      'B: write',
      'A: remember entry',
      'B: write',
      'A: fail Redis over',
      'A: read',
    ],
  },
  {
    without: 'taking what Redis is told again for a floor only',
    file: `${CACHE}/redis-versioned-cache.ts`,
    original: "origin === 'earlier write' ? 0 : lifetimeOf(entry)",
    replacement: 'lifetimeOf(entry)',
    story: [
      'The user is in the database.',
      'C: lose subscription',
      'B: write',
      'A: write',
      'A: restart process',
      'A: restart Redis',
      'C: read',
    ],
  },
];
