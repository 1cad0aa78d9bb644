import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import PostalMime from 'postal-mime';

export interface MessageSummary {
  /** Name of the file, without `.eml`. */
  readonly id: string;
  /** Time of the file, RFC 3339 in UTC. */
  readonly receivedAt: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly preview: string;
  readonly sizeBytes: number;
}

export interface Message extends MessageSummary {
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** @default the email has no text part */
  readonly text?: string;
  /** @default the email has no HTML part */
  readonly html?: string;
  readonly attachments: readonly { readonly name: string; readonly type: string }[];
}

const EXTENSION = '.eml';
/** No such name leads out of the folder, on any system. */
const SAFE_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;
const PREVIEW_CHARACTERS = 140;
const READ_TOGETHER = 32;

interface StoredFile {
  readonly id: string;
  readonly path: string;
  readonly receivedAtMilliseconds: number;
  readonly sizeBytes: number;
}

/** A folder of `.eml` files, which others write to. */
export class MailboxFolder {
  readonly #directory: string;
  /** By id; files are written once, so a summary is reused while the file's time and size are unchanged. */
  readonly #summaries = new Map<
    string,
    { readonly key: string; readonly summary: MessageSummary }
  >();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Newest first; none when the folder does not exist. */
  async list(): Promise<MessageSummary[]> {
    const files = await this.#files();
    files.sort(
      (one, other) =>
        other.receivedAtMilliseconds - one.receivedAtMilliseconds || other.id.localeCompare(one.id),
    );
    const known = new Set(files.map(({ id }) => id));
    for (const id of this.#summaries.keys()) if (!known.has(id)) this.#summaries.delete(id);
    const summaries: MessageSummary[] = [];
    for (let start = 0; start < files.length; start += READ_TOGETHER) {
      const some = files.slice(start, start + READ_TOGETHER);
      const read = await Promise.all(some.map((file) => this.#summarize(file)));
      summaries.push(...read.filter((summary) => summary !== null));
    }
    return summaries;
  }

  /** @returns null when there is no such email. */
  async read(id: string): Promise<Message | null> {
    const source = await this.source(id);
    const file = source && (await this.#file(id));
    return file ? await parse(file, source) : null;
  }

  /** The file's content. @returns null when there is no such email. */
  async source(id: string): Promise<Buffer<ArrayBuffer> | null> {
    const file = await this.#file(id);
    return file && (await unlessMissing(readFile(file.path)));
  }

  async #files(): Promise<StoredFile[]> {
    const names = (await unlessMissing(readdir(this.#directory))) ?? [];
    const files = await Promise.all(
      names
        .filter((name) => name.endsWith(EXTENSION))
        .map((name) => this.#file(name.slice(0, -EXTENSION.length))),
    );
    return files.filter((file) => file !== null);
  }

  async #file(id: string): Promise<StoredFile | null> {
    if (!SAFE_ID.test(id)) return null;
    const path = join(this.#directory, `${id}${EXTENSION}`);
    const status = await unlessMissing(stat(path));
    if (!status?.isFile()) return null;
    return { id, path, receivedAtMilliseconds: status.mtimeMs, sizeBytes: status.size };
  }

  async #summarize(file: StoredFile): Promise<MessageSummary | null> {
    const key = `${file.receivedAtMilliseconds} ${file.sizeBytes}`;
    const kept = this.#summaries.get(file.id);
    if (kept?.key === key) return kept.summary;
    const source = await unlessMissing(readFile(file.path));
    if (source === null) return null;
    const {
      headers: _,
      text: __,
      html: ___,
      attachments: ____,
      ...summary
    } = await parse(file, source);
    this.#summaries.set(file.id, { key, summary });
    return summary;
  }
}

async function unlessMissing<Value>(reading: Promise<Value>): Promise<Value | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function shownAddress({ name, address }: { name?: string; address?: string | undefined }): string {
  if (address === undefined || address === '') return name ?? '';
  return name === undefined || name === '' ? address : `${name} <${address}>`;
}

async function parse(file: StoredFile, source: Buffer<ArrayBuffer>): Promise<Message> {
  const email = await PostalMime.parse(source);
  const text = email.text ?? '';
  return {
    id: file.id,
    receivedAt: new Date(file.receivedAtMilliseconds).toISOString(),
    from: email.from === undefined ? '' : shownAddress(email.from),
    to: (email.to ?? []).map(shownAddress),
    subject: email.subject ?? '',
    preview: text.replace(/\s+/g, ' ').trim().slice(0, PREVIEW_CHARACTERS),
    sizeBytes: file.sizeBytes,
    headers: email.headers.map(({ originalKey, value }) => ({ name: originalKey, value })),
    ...(email.text === undefined ? {} : { text: email.text }),
    ...(email.html === undefined ? {} : { html: email.html }),
    attachments: email.attachments.map(({ filename, mimeType }) => ({
      name: filename ?? 'unnamed',
      type: mimeType,
    })),
  };
}
