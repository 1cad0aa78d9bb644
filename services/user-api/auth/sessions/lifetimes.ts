/**
 * How long a session lasts after the login, however much it is used: NIST SP 800-63B-4, 2.1.3 wants 30 days at most where
 * a password is all that is asked for.
 */
export const SESSION_LIFETIME_SECONDS = 30 * 24 * 60 * 60;
/** How long a session lasts without being used. */
export const SESSION_IDLE_SECONDS = 7 * 24 * 60 * 60;
/**
 * How long a used refresh token is answered again, with the same successor, as long as nobody has used that one.
 *
 * RFC 9700, 4.14.2 has a used token end the session, because two parties then have it; it says nothing of the same
 * party sending it twice: two tabs at once, or again because the response was lost on the way. Without a grace those are logged out.
 * With it a thief gains nothing that lasts: owner and thief then hold the same successor, and whoever uses that one second ends
 * the session. 10 seconds are enough for a retry after a timeout.
 */
export const REUSE_GRACE_SECONDS = 10;
/** Sessions that one user may have; a login above that ends the one that was not used for longest. */
export const SESSIONS_MAXIMUM_PER_USER = 50;
