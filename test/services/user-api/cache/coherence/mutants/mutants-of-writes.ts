import type { Mutant } from './mutant.ts';

const CACHE = 'services/user-api/cache';

/** Guards of what is notified of writes, and of what Redis takes in. */
export const mutantsOfWrites: readonly Mutant[] = [
  {
    without: 'compare-and-set in Redis',
    file: `${CACHE}/redis-entries.ts`,
    original: 'if held and held > tonumber(version) then return current end',
    replacement: '',
    interleaving: [
      'The user is in the database.',
      'A: read, held up at: update sent',
      'C: lose subscription',
      'B: write',
      'A: open gates',
      'C: read',
    ],
  },
  {
    without: 'publishing a write in the step that stores it',
    file: `${CACHE}/redis-entries.ts`,
    original: "if message ~= '' then redis.call('PUBLISH', channel, message) end",
    replacement: '',
    interleaving: ['The user is in Redis.', 'B: write'],
  },
  {
    without: 'a tombstone above every version of its row',
    file: 'services/user-api/users/users.ts',
    original: '{ version: version + 1, body: null }',
    replacement: '{ version, body: null }',
    interleaving: [
      'The user is in the database.',
      'A: read, held up at: update sent',
      'C: lose subscription',
      'B: delete',
      'A: open gates',
      'C: read',
    ],
  },
  {
    without: 'waiting for Redis before responding to a write',
    file: `${CACHE}/write-publisher.ts`,
    original: "const isShared = await this.#share(id, entry, 'write');",
    replacement: "void this.#share(id, entry, 'write');\n    const isShared = true;",
    interleaving: ['The user is in Redis.', 'B: write, held up at: update sent', 'A: read'],
  },
  {
    without: "a write going into the writer's own near cache",
    file: 'services/user-api/users/user-caching.ts',
    original: 'near.write(id, entry);',
    replacement: '',
    interleaving: ['The user is in Redis.', 'A: read', 'A: hold messages', 'A: write', 'A: read'],
  },
  {
    without: 'republishing what Redis may have lost',
    file: 'services/user-api/users/user-caching.ts',
    original: 'if (redis !== null) onServerChange(redis.commands, () => writes.publishAgain());',
    replacement: '',
    interleaving: [
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
    without: 'using a republished write as a minimum version only',
    file: `${CACHE}/redis-versioned-cache.ts`,
    original: "origin === 'earlier write' ? 0 : lifetimeOf(entry)",
    replacement: 'lifetimeOf(entry)',
    interleaving: [
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
