/** That a resource has been written: whatever is older than this version is out of date. */
export interface Invalidation {
  readonly id: number;
  readonly version: number;
}

/** As it is sent: `<id> <version>`. */
export function encodeInvalidation(id: number, version: number): string {
  return `${id} ${version}`;
}

const MESSAGE = /^(\d{1,16}) (\d{1,10})$/;

/** @returns null for what is no such message. */
export function decodeInvalidation(message: string): Invalidation | null {
  const [, id, version] = MESSAGE.exec(message) ?? [];
  return id === undefined ? null : { id: Number(id), version: Number(version) };
}
