import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  asBuffer,
  COMPRESSION_MINIMUM_BYTES,
  SerializedResponse,
} from '../../../../services/user-api/cache/serialized-response.ts';

describe('ReadyAnswer', () => {
  it('compresses from the shortest body on for which that pays, once, and counts those bytes from then on', () => {
    const short = new SerializedResponse(Buffer.alloc(COMPRESSION_MINIMUM_BYTES - 1, 'a'), 'v1');
    expect(short.gzip).toBeNull();
    expect(short.size).toBe(COMPRESSION_MINIMUM_BYTES - 1);
    expect(short.maximumSize).toBe(COMPRESSION_MINIMUM_BYTES - 1);
    const body = Buffer.alloc(COMPRESSION_MINIMUM_BYTES, 'é');
    const long = new SerializedResponse(body, 'v1');
    expect(long.size).toBe(COMPRESSION_MINIMUM_BYTES);
    const { gzip } = long;
    expect(gunzipSync(Buffer.from(gzip?.text ?? '', 'latin1'))).toEqual(body);
    expect(gzip).toMatchObject({ etag: '"v1-gzip"', length: String(gzip?.text.length) });
    expect(long.gzip).toBe(gzip);
    expect(long.size).toBe(COMPRESSION_MINIMUM_BYTES + Number(gzip?.length));
    expect(long.body).toEqual(body);
  });

  it('does not compress what becomes no smaller, so that it never takes more than twice its bytes', () => {
    const body = randomBytes(COMPRESSION_MINIMUM_BYTES);
    const response = new SerializedResponse(body, 'v1');
    expect(response.maximumSize).toBe(2 * COMPRESSION_MINIMUM_BYTES);
    expect(response.gzip).toBeNull();
    expect(response.size).toBe(COMPRESSION_MINIMUM_BYTES);
  });

  it('takes in bytes that are a part of others', () => {
    const bytes = new Uint8Array([0, 1, 255, 3]).subarray(1, 3);
    expect(new SerializedResponse(bytes, 'v1')).toMatchObject({ text: '\x01\xff', length: '2' });
    const buffer = Buffer.from('same');
    expect(asBuffer(buffer)).toBe(buffer);
  });
});
