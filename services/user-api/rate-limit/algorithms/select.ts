import type { RateLimitPolicy } from '../policy.ts';
import type { Algorithm } from './algorithm.ts';
import { fixedWindow } from './fixed-window.ts';
import { slidingWindow } from './sliding-window.ts';
import { NOTHING_SPENT, tokenBucket } from './token-bucket.ts';

/** The algorithm of `policy`, with everything that its script takes before the number of requests to count. */
export function algorithmOf(policy: RateLimitPolicy): Algorithm {
  switch (policy.algorithm) {
    case 'fixed-window':
      return fixedWindow(policy);
    case 'sliding-window':
      return slidingWindow(policy);
    case 'token-bucket': {
      const algorithm = tokenBucket(policy);
      return { ...algorithm, scriptArguments: [...algorithm.scriptArguments, NOTHING_SPENT] };
    }
  }
}
