import { authenticationVariables } from './areas/authentication.ts';
import { cacheVariables } from './areas/cache.ts';
import { databaseVariables } from './areas/database.ts';
import { emailVariables } from './areas/email.ts';
import { generalVariables } from './areas/general.ts';
import { httpVariables } from './areas/http.ts';
import { observabilityVariables } from './areas/observability.ts';
import { rateLimitVariables } from './areas/rate-limit.ts';

/**
 * Every environment variable that any program here reads. The table in `docs/environment.md` is generated from it,
 * and a test fails when a template of the infrastructure sets one that is not here.
 */
export const environmentVariables = {
  ...generalVariables,
  ...httpVariables,
  ...databaseVariables,
  ...cacheVariables,
  ...emailVariables,
  ...authenticationVariables,
  ...rateLimitVariables,
  ...observabilityVariables,
} as const;
