import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { acceptsGzip, matchesEntityTag } from '../http/request-headers.ts';

const compress = promisify(gzip);

/** Bytes that stay the same while the process runs, as they are and compressed. */
export interface PublishedFile {
  readonly mediaType: string;
  readonly cacheControl: string;
  readonly plain: { readonly bytes: Buffer<ArrayBuffer>; readonly etag: string };
  readonly gzip: { readonly bytes: Buffer<ArrayBuffer>; readonly etag: string };
}

/** Characters of the digest in an ETag: 96 bits. */
const TAG_LENGTH = 16;

/** Prepares a file for any number of responses. */
export async function publishFile(
  content: Buffer<ArrayBuffer>,
  mediaType: string,
  cacheControl: string,
): Promise<PublishedFile> {
  const digest = hash('sha256', content, 'base64url').slice(0, TAG_LENGTH);
  return {
    mediaType,
    cacheControl,
    plain: { bytes: content, etag: `"${digest}"` },
    gzip: { bytes: await compress(content), etag: `"${digest}-gzip"` },
  };
}

/** The file, or 304 when the client has it. */
export function fileResponse(file: PublishedFile, asked: IncomingHttpHeaders): Response {
  const isCompressed = acceptsGzip(asked['accept-encoding']);
  const { bytes, etag } = isCompressed ? file.gzip : file.plain;
  const headers = { 'cache-control': file.cacheControl, vary: 'origin, accept-encoding', etag };
  const known = asked['if-none-match'];
  if (known !== undefined && matchesEntityTag(known, etag)) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(bytes, {
    headers: {
      ...headers,
      'content-type': file.mediaType,
      ...(isCompressed ? { 'content-encoding': 'gzip' } : {}),
      'content-length': String(bytes.byteLength),
    },
  });
}
