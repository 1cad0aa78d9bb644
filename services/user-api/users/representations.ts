import type { User } from '../../contracts/users.ts';
import { type Representation, shownUser } from '../auth/authorization.ts';
import type { DerivedRepresentation } from '../cache/near-cache.ts';
import { asText } from '../cache/serialized-response.ts';
import { entityTag } from '../http/request-headers.ts';

/** A user with its version for the ETag, and the serialized body. */
export interface UserSnapshot {
  readonly version: number;
  readonly body: Uint8Array;
  /** Whether a cache had it. @default false */
  readonly fromCache?: boolean;
}

const encoder = new TextEncoder();

/** The serialized body is made once per version, then cached and sent unchanged. */
export function toSnapshot(user: User): UserSnapshot {
  return { version: user.version, body: encoder.encode(JSON.stringify(user)) };
}

/** Representations of one version differ in bytes, so their tags differ, too (RFC 9110, 8.8.1). */
export function representationTag(version: number, representation: Representation): string {
  return entityTag(version, representation === 'private' ? 'private' : undefined);
}

/** Precedes the email address in a body, and only it: inside a JSON text each quotation mark has a backslash before it. */
const EMAIL = ',"email":"';

/** The public body, from the cached one as latin1 text: cuts the email address out, in a tenth of the time of parsing. */
export function publicText(full: string): string {
  const start = full.indexOf(EMAIL);
  if (start === -1) return parsedPublicText(full);
  let end = full.indexOf('"', start + EMAIL.length);
  while (end !== -1 && isEscaped(full, end)) end = full.indexOf('"', end + 1);
  return end === -1 ? parsedPublicText(full) : full.slice(0, start) + full.slice(end + 1);
}

function isEscaped(text: string, place: number): boolean {
  let before = place - 1;
  while (text[before] === '\\') before -= 1;
  return (place - before) % 2 === 0;
}

/** Fallback for bodies that another release serialized. */
function parsedPublicText(full: string): string {
  const user: User = JSON.parse(Buffer.from(full, 'latin1').toString());
  return asText(Buffer.from(JSON.stringify(shownUser(user, 'public'))));
}

export function publicBody(full: Uint8Array): Uint8Array {
  return Buffer.from(publicText(asText(full)), 'latin1');
}

export interface ShownUser {
  readonly etag: string;
  readonly body: Uint8Array;
}

export function showUser(
  { body, version }: UserSnapshot,
  representation: Representation,
): ShownUser {
  return {
    etag: representationTag(version, representation),
    body: representation === 'private' ? body : publicBody(body),
  };
}

/** The public body in the near cache, made once per version. */
export const publicRepresentation: DerivedRepresentation = {
  name: 'public',
  textOf: publicText,
  tagOf: (version) => `v${version}`,
};
