import { gzipSync } from 'node:zlib';

/**
 * Shortest body that is compressed, in bytes. A body of up to some 1,000 bytes goes out in one TCP segment with its headers
 * (1,460 bytes at an MTU of 1,500), so that nothing arrives sooner if it is shorter. A user has fewer.
 */
export const COMPRESSION_MINIMUM_BYTES = 1_024;
/** Of a page of 20 users, level 1 leaves some 15 %, level 6 1 % less at three times the time. */
const COMPRESSION_LEVEL = 1;

/** Bytes as they are sent, and the headers that belong to them. */
export interface SerializedBytes {
  /**
   * The bytes, one in each character (latin1). As a string they lie in V8's heap, where a small Buffer would keep a block alive that others
   * share, or cost twice as much by itself; and Node.js sends head and body as one string in one write.
   */
  readonly text: string;
  /** Content-Length. */
  readonly length: string;
  readonly etag: string;
}

/** A response that only needs to be written. */
export class SerializedResponse implements SerializedBytes {
  readonly text: string;
  readonly length: string;
  readonly etag: string;
  #gzip: SerializedBytes | null | undefined;

  /** @param tag - what stands in the ETag, between its quotes. */
  constructor(body: Uint8Array, tag: string) {
    this.text = asText(body);
    this.length = String(body.byteLength);
    this.etag = `"${tag}"`;
    if (body.byteLength < COMPRESSION_MINIMUM_BYTES) this.#gzip = null;
  }

  get body(): Buffer {
    return Buffer.from(this.text, 'latin1');
  }

  /**
   * The same, compressed when it is first asked for, with an ETag of its own as RFC 9110, 8.8.3.3 asks; null where that
   * would not pay.
   */
  get gzip(): SerializedBytes | null {
    if (this.#gzip === undefined) {
      const compressed = gzipSync(this.body, { level: COMPRESSION_LEVEL });
      const isSmaller = compressed.byteLength < this.text.length;
      const etag = this.etag.replace(/"$/, '-gzip"');
      this.#gzip = isSmaller
        ? { text: asText(compressed), length: String(compressed.byteLength), etag }
        : null;
    }
    return this.#gzip;
  }

  /** Most memory that the bytes take, in bytes: compressed on the first request for it, they are fewer. */
  get maximumSize(): number {
    return this.text.length * (this.#gzip === null ? 1 : 2);
  }

  /** Memory that the bytes take now, in bytes. */
  get size(): number {
    return this.text.length + (this.#gzip?.text.length ?? 0);
  }
}

/** Bytes as text, one in each character. */
export function asText(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('latin1');
}

/** The same bytes. */
export function asBuffer(bytes: Uint8Array): Buffer {
  if (bytes instanceof Buffer) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
