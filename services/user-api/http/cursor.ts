/** Where a page ended, as clients hand it back: opaque to them, so that what is in it may change. */
export function encodeCursor(lastId: number): string {
  return Buffer.from(`id:${lastId}`).toString('base64url');
}

/** @returns the id that the page ended with, or null when `cursor` is not one that {@link encodeCursor} made. */
export function decodeCursor(cursor: string): number | null {
  const id = /^id:(\d{1,16})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'))?.[1];
  if (id === undefined || !Number.isSafeInteger(Number(id))) return null;
  return encodeCursor(Number(id)) === cursor ? Number(id) : null;
}
