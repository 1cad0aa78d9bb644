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
