import type { SharedEntry, VersionedEntry } from './versioned-cache.ts';

/**
 * How an entry is written in Redis: a line of text, and the body behind it as it is sent, so that one GET brings all and nothing is parsed.
 *
 * ```text
 * <kind><version> <representation> <fresh until> <load>\n<body>
 * v7 1 1795286400000 3\n{"id":1,…
 * ```
 *
 * - kind: `v` for a body, `d` where there is none: deleted, or unknown.
 * - representation: which bytes the body is made of. Releases that make other bytes share the key, and with it the version.
 * - fresh until: milliseconds since 1970, by Redis' clock.
 * - load: how long the load took, in milliseconds.
 */
const VALUE_KIND = 0x76; // v
const DELETED_KIND = 0x64; // d
const LINE_FEED = 0x0a;
/** Longer than any head can be. */
const HEAD_MAXIMUM = 80;

const HEAD = /^[vd](\d{1,10}) (\S{1,8}) (\d{1,15}) (\d{1,9})$/;

/** The part of the head that stands before the time, which only Redis knows. */
export function headOf({ version, body }: VersionedEntry, representation: string): string {
  const kind = body === null ? DELETED_KIND : VALUE_KIND;
  return `${String.fromCharCode(kind)}${version} ${representation} `;
}

/**
 * @param representation - the one whose bodies this process can answer with.
 * @param now - milliseconds since 1970.
 * @returns null for what is not an entry, such as the work of another program.
 */
export function decodeEntry(
  bytes: Buffer,
  representation: string,
  now: number,
): SharedEntry | null {
  const end = bytes.subarray(0, HEAD_MAXIMUM).indexOf(LINE_FEED);
  const head = HEAD.exec(bytes.toString('latin1', 0, Math.max(0, end)));
  if (head === null) return null;
  const [, version, madeAs, freshUntilText, load] = head;
  const freshUntil = Number(freshUntilText);
  const body = bytes[0] === VALUE_KIND ? bytes.subarray(end + 1) : null;
  return {
    version: Number(version),
    body,
    // That something is not there looks the same to every release.
    fresh: now < freshUntil && (body === null || madeAs === representation),
    freshUntil,
    loadMilliseconds: Number(load),
  };
}
