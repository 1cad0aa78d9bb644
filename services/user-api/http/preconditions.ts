/**
 * The ETag of a version of a resource.
 *
 * @param representation - tells apart what is shown to some only. @default what is shown to everybody
 */
export function entityTag(version: number, representation?: string): string {
  return representation === undefined ? `"v${version}"` : `"v${version}-${representation}"`;
}

/** The version in what stands between the quotes of a tag, whatever the representation or the content coding. */
const VERSION_TAG = /^v([1-9]\d{0,9})(?:-[a-z]+)*$/;

/** An entity tag in a list: optional weakness, and what stands between the quotes (RFC 9110, 8.8.3). */
const ENTITY_TAGS = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g;
/** PostgreSQL's integer, which versions are. */
const VERSION_MAXIMUM = 2_147_483_647;

/**
 * Whether an `If-None-Match` header names a tag, weakly compared as RFC 9110, 13.1.2 says.
 *
 * @param wanted - with its quotes, and not weak.
 */
export function matchesEntityTag(header: string, wanted: string): boolean {
  // What nearly all clients send: the tag as it was given to them.
  if (header === wanted || header.trim() === '*') return true;
  for (const [, , tag] of header.matchAll(ENTITY_TAGS)) if (`"${tag}"` === wanted) return true;
  return false;
}

/**
 * The versions that an `If-Match` header allows: null where it allows any (absent, or `*`), and an empty list where
 * nothing can match, as with weak tags, which RFC 9110, 13.1.1 tells to refuse.
 */
export function allowedVersions(header: string | undefined): readonly number[] | null {
  if (header === undefined || header.trim() === '*') return null;
  const versions: number[] = [];
  for (const [, weak, tag = ''] of header.matchAll(ENTITY_TAGS)) {
    const version = VERSION_TAG.exec(tag)?.[1];
    if (weak === undefined && version !== undefined && Number(version) <= VERSION_MAXIMUM) {
      versions.push(Number(version));
    }
  }
  return versions;
}
