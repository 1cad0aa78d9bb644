import { watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';

/** Network file systems may report no changes; then the log is polled. */
const POLL_MILLISECONDS = 500;
const CHUNK_BYTES = 65_536;

/**
 * Passes on new lines of `path`.
 *
 * @returns a function that stops, after passing on the lines written until then.
 */
export async function followLog(
  path: string,
  onLine: (line: string) => void,
): Promise<() => Promise<void>> {
  const file = await open(path, 'r');
  const decoder = new StringDecoder('utf8');
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let position = (await file.stat()).size;
  let rest = '';
  let reading: Promise<void> = Promise.resolve();

  async function readOn(handle: FileHandle): Promise<void> {
    for (;;) {
      const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      const lines = (rest + decoder.write(chunk.subarray(0, bytesRead))).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    }
  }
  // One read after the other: two notices of one change must not read it twice.
  const look = () => {
    reading = reading.then(() => readOn(file));
    return reading;
  };

  const watcher = watch(path, () => void look());
  const timer = setInterval(() => void look(), POLL_MILLISECONDS);
  return async () => {
    watcher.close();
    clearInterval(timer);
    await look();
    await file.close();
  };
}
