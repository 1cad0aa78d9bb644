import { CursorSigner } from '../../../services/user-api/http/cursor.ts';
import { deriveKey } from '../../../services/user-api/secrets/derived-key.ts';

/** The API's secret in benchmarks: requests and baselines make the cursors that it makes. */
export const BENCHMARK_SECRET = 'a secret of benchmarks, with enough characters';
/** What the API calls the list of all users in order of creation. */
export const ALL_USERS = '[null,{"by":"creation","newestFirst":false}]';

export function benchmarkCursors(): CursorSigner {
  return new CursorSigner(deriveKey(BENCHMARK_SECRET, 'cursor'));
}
