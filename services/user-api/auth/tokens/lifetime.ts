/** Lifetime of an access token: the time for which a copied one works, unless it is revoked. */
export const ACCESS_TOKEN_LIFETIME_SECONDS = 600;
/** Clock skew between two processes at most. */
export const CLOCK_TOLERANCE_SECONDS = 5;
/** How long before it signs a new key is published: time for a deployment to reach every process, and for others to fetch the keys again. */
export const ROTATION_LEAD_SECONDS = 24 * 60 * 60;
