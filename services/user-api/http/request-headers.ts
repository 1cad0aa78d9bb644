import type { IncomingHttpHeaders } from 'node:http';
import { Problem } from './problem.ts';

/** Enough for any UUID, ULID or hash, in whatever spelling. */
export const IDEMPOTENCY_KEY_MAXIMUM_LENGTH = 255;
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

/**
 * The key in an `Idempotency-Key` header: a string between quotes, as draft-ietf-httpapi-idempotency-key-header has it, or without
 * them, as most clients send it; both are the same key.
 *
 * @returns null where there is no header.
 * @throws {@link Problem} invalid-idempotency-key
 */
export function parseIdempotencyKey(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  const text = String(header).trim();
  const key = /^"(.*)"$/.exec(text)?.[1] ?? text;
  if (key.length <= IDEMPOTENCY_KEY_MAXIMUM_LENGTH && VISIBLE_ASCII.test(key)) return key;
  throw new Problem(
    'invalid-idempotency-key',
    `The Idempotency-Key is ${key.length} characters long or holds others than visible ASCII; it takes 1 to ${IDEMPOTENCY_KEY_MAXIMUM_LENGTH} of those, such as a UUID.`,
  );
}

/** One coding of an Accept-Encoding header with its weight (RFC 9110, 12.5.3). */
const CODING = /^\s*([\w*-]+)\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?$/i;

/** Whether an Accept-Encoding header takes gzip. */
export function acceptsGzip(header: string | string[] | undefined): boolean {
  if (header === undefined) return false;
  // What nearly all clients send begins with it, without a weight.
  if (typeof header === 'string' && (header === 'gzip' || header.startsWith('gzip,'))) return true;
  let any = false;
  for (const part of String(header).split(',')) {
    const [, coding, weight = '1'] = CODING.exec(part) ?? [];
    const name = coding?.toLowerCase();
    if (name === 'gzip' || name === 'x-gzip') return Number(weight) > 0;
    if (name === '*') any = Number(weight) > 0;
  }
  return any;
}

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

/** Whether a list of entity tags has this one, strongly compared as RFC 9110, 13.1.1 says. */
export function namesStrongTag(header: string, wanted: string): boolean {
  for (const [, weak, tag] of header.matchAll(ENTITY_TAGS)) {
    if (weak === undefined && `"${tag}"` === wanted) return true;
  }
  return false;
}

/** The versions that a resource may have for a change of it to be made. */
export interface VersionCondition {
  /** Null for any. */
  readonly allowed: readonly number[] | null;
  readonly excluded: readonly number[];
}

/** Whether a request for a change depends on the state of what it changes. If-Modified-Since is about reading only (RFC 9110, 13.1.3). */
export function isConditional(headers: IncomingHttpHeaders): boolean {
  return (
    headers['if-match'] !== undefined ||
    headers['if-none-match'] !== undefined ||
    headers['if-unmodified-since'] !== undefined
  );
}

/**
 * What the preconditions of a change say about versions; null for nothing. Nothing matches weak tags in If-Match, `*` in If-None-Match, and
 * If-Unmodified-Since, because resources have no Last-Modified: to ignore it would overwrite what the client wants to keep.
 */
export function versionCondition(headers: IncomingHttpHeaders): VersionCondition | null {
  if (!isConditional(headers)) return null;
  const { 'if-match': match, 'if-none-match': noneMatch = '' } = headers;
  const isNever =
    noneMatch.trim() === '*' ||
    (match === undefined && headers['if-unmodified-since'] !== undefined);
  const isAny = match === undefined || match.trim() === '*';
  return {
    allowed: isNever ? [] : isAny ? null : versionsIn(match, 'strong'),
    excluded: versionsIn(noneMatch, 'weak'),
  };
}

export function allowsVersion(condition: VersionCondition | null, version: number): boolean {
  if (condition === null) return true;
  const { allowed, excluded } = condition;
  return (allowed === null || allowed.includes(version)) && !excluded.includes(version);
}

function versionsIn(header: string, comparison: 'strong' | 'weak'): readonly number[] {
  const versions: number[] = [];
  for (const [, weak, tag = ''] of header.matchAll(ENTITY_TAGS)) {
    const version = VERSION_TAG.exec(tag)?.[1];
    if (version === undefined || Number(version) > VERSION_MAXIMUM) continue;
    if (comparison === 'weak' || weak === undefined) versions.push(Number(version));
  }
  return versions;
}
