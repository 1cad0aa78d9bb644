/**
 * Whether the image always means the same: by digest, or by a tag that is not moved. Tags that are moved make a rollback
 * start what failed.
 */
export function isFixedImage(imageUri: string): boolean {
  if (/@sha256:[0-9a-f]{64}$/.test(imageUri)) return true;
  const tag = /:([\w][\w.-]*)$/.exec(imageUri)?.[1];
  return tag !== undefined && tag !== 'latest';
}
