/** What holds for all operations, in Markdown. */
export function introduction(aliases: Readonly<Record<string, readonly string[]>>): string {
  const same = Object.entries(aliases).map(
    ([path, others]) =>
      `Below \`${path}\`, the paths ${others.map((other) => `\`${other}\``).join(', ')} answer the same.`,
  );
  return [
    'Users: to register, find, change and remove them, and to log in as one.',
    'Errors are problem details (RFC 9457), `application/problem+json`; their `type` is the path of a page that says what to do.',
    'Every path answers OPTIONS with the methods that it takes (204, `Allow`), HEAD as GET without the body, and other methods with 405. Paths that are not here answer 404.',
    'Each request counts under a rate limit, which the fields `RateLimit-Policy` and `RateLimit` tell of; over it, 429 and `Retry-After`.',
    'Clients must take fields, problem types and header fields that they do not know: new ones do not make a new version. What is to go is announced with `Deprecation` and `Sunset`.',
    ...same,
  ].join('\n\n');
}
