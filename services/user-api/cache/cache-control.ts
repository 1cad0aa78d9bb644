/**
 * `Cache-Control` by kind of response, for browsers and CloudFront alike. What is private must be `private` or `no-store`; CloudFront keeps only
 * what says `public`. Files that change with a release or a key say how long beside their reason. docs/cache.md has the table of all
 * routes, and the bounds that follow.
 */
export const cacheControl = {
  /** A user with the email address: kept by the one who asked, at most, and asked for again each time, which 304 makes cheap. */
  user: 'private, no-cache',
  /** A page of such users. */
  userList: 'private, no-cache',
  /** A user, or a page of users, as everybody sees them: anybody may keep it, and asks again each time. */
  publicUser: 'public, no-cache',
  publicUserList: 'public, no-cache',
  /** Errors, health, and all that is about this moment. */
  moment: 'no-store',
  /** Pages for people to read, the same for all, that change with a release: an hour later nobody minds. */
  page: 'public, max-age=3600',
} as const;
