import { describe, expect, it } from 'vitest';
import { CursorSigner } from '../../../../services/user-api/http/cursor.ts';

const signer = new CursorSigner(Buffer.from('a secret'));
const position = { name: 'Zoë', id: 7 };
const cursor = signer.encode('users by name', position);

describe('CursorSigner', () => {
  it('gives back what was encoded, in every process with the secret', () => {
    expect(signer.decode('users by name', cursor)).toEqual(position);
    const other = new CursorSigner(Buffer.from('a secret'));
    expect(other.encode('users by name', position)).toBe(cursor);
    expect(other.decode('users by name', cursor)).toEqual(position);
    expect(cursor).toMatch(/^[\w-]{23,}$/);
  });

  it('finds out a cursor of another query, or of another secret', () => {
    expect(signer.decode('users by age', cursor)).toBeUndefined();
    const other = new CursorSigner(Buffer.from('another secret'));
    expect(other.decode('users by name', cursor)).toBeUndefined();
  });

  it('finds out a cursor with any character changed, added, or left out', () => {
    for (let at = 0; at < cursor.length; at += 1) {
      const other = cursor[at] === 'A' ? 'B' : 'A';
      const changed = `${cursor.slice(0, at)}${other}${cursor.slice(at + 1)}`;
      const shorter = cursor.slice(0, at);
      expect(signer.decode('users by name', changed), changed).toBeUndefined();
      expect(signer.decode('users by name', shorter), shorter).toBeUndefined();
    }
    expect(signer.decode('users by name', `${cursor}A`)).toBeUndefined();
  });

  it('takes one spelling of a signature alone', () => {
    // 22 characters have 4 bits more than 16 bytes.
    const last = cursor[21] ?? '';
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const same = alphabet[alphabet.indexOf(last) + 1] ?? '';
    const respelled = `${cursor.slice(0, 21)}${same}${cursor.slice(22)}`;
    const bytes = (text: string) => Buffer.from(text.slice(0, 22), 'base64url');
    expect(bytes(respelled)).toEqual(bytes(cursor));
    expect(signer.decode('users by name', respelled)).toBeUndefined();
  });
});
