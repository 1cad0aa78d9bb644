import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

/** 128 bits: nobody finds a signature by trying. */
const SIGNATURE_BYTES = 16;
const SIGNATURE_CHARACTERS = 22;

/**
 * Where a page ended, as clients hand it back. What is in it is not part of the contract, and is signed together with the query that it is for, so
 * that whatever else is sent is found out: a cursor that was changed, made up, or given to another query. The same place of the
 * same query has the same cursor in every process, so that pages can be distinguished by their bytes.
 */
export class CursorSigner {
  /** Made once: a key made of bytes for each signature takes several times as long as the signature. */
  readonly #key: KeyObject;

  constructor(secret: Buffer) {
    this.#key = createSecretKey(secret);
  }

  /**
   * @param query - names what is listed, and in which order.
   * @param position - anything that JSON can hold.
   */
  encode(query: string, position: unknown): string {
    const text = Buffer.from(JSON.stringify(position)).toString('base64url');
    return this.#sign(query, text).toString('base64url') + text;
  }

  /** @returns what was encoded, or undefined when `cursor` was not made by {@link encode} for that query. */
  decode(query: string, cursor: string): unknown {
    const signature = Buffer.from(cursor.slice(0, SIGNATURE_CHARACTERS), 'base64url');
    const text = cursor.slice(SIGNATURE_CHARACTERS);
    const expected = this.#sign(query, text);
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
      return undefined;
    }
    // base64url has several spellings of the same bytes, of which one is ours.
    if (signature.toString('base64url') !== cursor.slice(0, SIGNATURE_CHARACTERS)) return undefined;
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  }

  #sign(query: string, text: string): Buffer {
    const signature = createHmac('sha256', this.#key).update(JSON.stringify([query, text]));
    return signature.digest().subarray(0, SIGNATURE_BYTES);
  }
}
