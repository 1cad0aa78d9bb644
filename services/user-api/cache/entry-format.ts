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
const BLANK = 0x20;
const LINE_FEED = 0x0a;
const ZERO = 0x30;
const NINE = 0x39;
/** Longer than any head can be. */
const HEAD_MAXIMUM = 80;

/** So many characters at most. */
const VERSION_DIGITS = 10;
const REPRESENTATION_LENGTH = 8;
const TIME_DIGITS = 15;
const LOAD_DIGITS = 9;

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
  const [kind] = bytes;
  if (kind !== VALUE_KIND && kind !== DELETED_KIND) return null;
  const versionEnd = fieldEnd(bytes, 1, BLANK);
  const madeAsEnd = fieldEnd(bytes, versionEnd + 1, BLANK);
  const freshUntilEnd = fieldEnd(bytes, madeAsEnd + 1, BLANK);
  const end = fieldEnd(bytes, freshUntilEnd + 1, LINE_FEED);
  const version = decimal(bytes, 1, versionEnd, VERSION_DIGITS);
  const freshUntil = decimal(bytes, madeAsEnd + 1, freshUntilEnd, TIME_DIGITS);
  const loadMilliseconds = decimal(bytes, freshUntilEnd + 1, end, LOAD_DIGITS);
  if (version < 0 || freshUntil < 0 || loadMilliseconds < 0) return null;
  if (!isRepresentation(bytes, versionEnd + 1, madeAsEnd)) return null;
  // That something is not there looks the same to every release.
  const isReadable =
    kind === DELETED_KIND || isText(bytes, versionEnd + 1, madeAsEnd, representation);
  const body = kind === VALUE_KIND ? bytes.subarray(end + 1) : null;
  return { version, body, fresh: now < freshUntil && isReadable, freshUntil, loadMilliseconds };
}

// Read byte by byte: a text of the head and a regular expression take several times as long, and each read in the shared cache comes by here.

/** Where the field ends that begins at `start`; where no head can be when it does not end. */
function fieldEnd(bytes: Buffer, start: number, terminator: number): number {
  for (let place = start; place < HEAD_MAXIMUM && place < bytes.length; place += 1) {
    if (bytes[place] === terminator) return place;
  }
  return HEAD_MAXIMUM;
}

/** The number from `start` to before `end`; -1 when it is none, or has too many digits. */
function decimal(bytes: Buffer, start: number, end: number, maximumDigits: number): number {
  if (end <= start || end - start > maximumDigits) return -1;
  let value = 0;
  for (let place = start; place < end; place += 1) {
    const byte = bytes[place] ?? 0;
    if (byte < ZERO || byte > NINE) return -1;
    value = value * 10 + (byte - ZERO);
  }
  return value;
}

function isRepresentation(bytes: Buffer, start: number, end: number): boolean {
  if (end <= start || end - start > REPRESENTATION_LENGTH) return false;
  for (let place = start; place < end; place += 1) {
    if ((bytes[place] ?? 0) <= BLANK) return false;
  }
  return true;
}

function isText(bytes: Buffer, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let index = 0; index < text.length; index += 1) {
    if (bytes[start + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}
