/**
 * How long an access token is good for: so long does somebody who copied one go on, where no logout, change of password or
 * suspension ends it before.
 */
export const ACCESS_TOKEN_LIFETIME_SECONDS = 600;
/** How far the clocks of two processes may be apart. */
export const CLOCK_TOLERANCE_SECONDS = 5;
/**
 * How long before it signs a new key is published: time for a deployment to reach every process, which must know the key
 * before it meets a token of it, and for others to fetch the published keys again.
 */
export const ROTATION_LEAD_SECONDS = 24 * 60 * 60;
