/**
 * How long an access token is good for: so long does somebody who copied one go on, where no logout, change of password or
 * suspension ends it before.
 */
export const ACCESS_TOKEN_LIFETIME_SECONDS = 600;
/** How far the clocks of two processes may be apart. */
export const CLOCK_TOLERANCE_SECONDS = 5;
