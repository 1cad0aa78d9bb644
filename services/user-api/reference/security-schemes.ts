import { ACCESS_TOKEN_SCHEME, API_KEY_SCHEME } from './describe-route.ts';
import type { SecuritySchemeObject } from './open-api.ts';

/** The two ways to say who one is. */
export const securitySchemes: Record<string, SecuritySchemeObject> = {
  [ACCESS_TOKEN_SCHEME]: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'An access token, from a login or a refresh; good for 10 minutes. A JWT of the type at+jwt, signed with ES256 as RFC8725 recommends: the algorithm is fixed, and issuer, audience and end are checked.',
  },
  [API_KEY_SCHEME]: {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
    description: 'An API key. It may do what its owner may, within its scopes.',
  },
};
