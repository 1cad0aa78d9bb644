import { html, raw } from 'hono/html';
import type { Message, MessageSummary } from './messages.ts';

type Fragment = ReturnType<typeof html>;

export const views = ['html', 'text', 'headers'] as const;
export type View = (typeof views)[number];

const viewNames: Readonly<Record<View, string>> = {
  html: 'Message',
  text: 'Text',
  headers: 'Headers',
};

const envelope = raw(
  '<svg viewBox="0 0 24 24" aria-hidden="true"><rect x="3" y="5" width="18" height="14" rx="2.5"/><path d="m4 7.5 8 5.5 8-5.5"/></svg>',
);

/** Today's times as time of day, others as a date, in local time. */
function shortTime(instant: Date, now: Date): string {
  const sameDay = instant.toDateString() === now.toDateString();
  return instant.toLocaleString(
    'en-GB',
    sameDay ? { timeStyle: 'short' } : { day: 'numeric', month: 'short' },
  );
}

/** The name in `Name <user@host>`, or the address. */
function nameOf(address: string): string {
  return /^(.+?)\s*<[^>]*>$/.exec(address)?.[1] ?? address;
}

function initialOf(address: string): string {
  return (
    [...nameOf(address)].find((character) => /\p{L}|\p{N}/u.test(character)) ?? '·'
  ).toUpperCase();
}

function listItem(message: MessageSummary, selectedId: string | undefined, now: Date): Fragment {
  const received = new Date(message.receivedAt);
  const to = message.to[0] ?? '(no receiver)';
  return html`<li>
    <a class="item" href="/messages/${message.id}" ${message.id === selectedId ? raw('aria-current="page"') : ''}>
      <span class="initial" aria-hidden="true">${initialOf(to)}</span>
      <span class="to">${nameOf(to)}</span>
      <time datetime="${message.receivedAt}">${shortTime(received, now)}</time>
      <span class="subject">${message.subject || '(no subject)'}</span>
      <span class="preview">${message.preview}</span>
    </a>
  </li>`;
}

function body(message: Message, view: View): Fragment {
  if (view === 'headers') {
    return html`<dl class="headers">${message.headers.map(
      ({ name, value }) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
    )}</dl>`;
  }
  if (view === 'text') return html`<pre class="text" tabindex="0">${message.text ?? ''}</pre>`;
  return html`<iframe
    title="The email as its reader sees it"
    src="/messages/${message.id}/html"
    sandbox="allow-popups allow-popups-to-escape-sandbox"
    referrerpolicy="no-referrer"
  ></iframe>`;
}

/** Available views; the first is the default. */
export function viewsOf(message: Message): readonly [View, ...View[]] {
  if (message.html === undefined) return ['text', 'headers'];
  return message.text === undefined ? ['html', 'headers'] : views;
}

function article(message: Message, view: View): Fragment {
  const received = new Date(message.receivedAt);
  return html`<article>
    <header>
      <a class="back" href="/">All email</a>
      <h2>${message.subject || '(no subject)'}</h2>
      <dl class="addresses">
        <div><dt>From</dt><dd>${message.from}</dd></div>
        <div><dt>To</dt><dd>${message.to.join(', ')}</dd></div>
        <div><dt>Received</dt><dd><time datetime="${message.receivedAt}">${received.toLocaleString('en-GB', { dateStyle: 'full', timeStyle: 'medium' })}</time></dd></div>
        ${
          message.attachments.length === 0
            ? ''
            : html`<div><dt>Attached</dt><dd>${message.attachments.map(({ name }) => name).join(', ')}</dd></div>`
        }
      </dl>
      <nav class="views" aria-label="Views of this email">
        ${viewsOf(message).map(
          (each) =>
            html`<a class="view" href="?view=${each}" ${each === view ? raw('aria-current="true"') : ''}>${viewNames[each]}</a>`,
        )}
        <a class="view download" href="/messages/${message.id}/source" download>Download source</a>
      </nav>
    </header>
    ${body(message, view)}
  </article>`;
}

export type Selection =
  | { readonly kind: 'message'; readonly message: Message; readonly view: View }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'missing' };

function main(selection: Selection, empty: boolean): Fragment {
  if (selection.kind === 'message') return article(selection.message, selection.view);
  const [title, text] =
    selection.kind === 'missing'
      ? ['This email is not here', 'It may have been deleted with the local data.']
      : empty
        ? ['No email yet', 'What the workers send appears here by itself, as soon as it is sent.']
        : ['Select an email', 'The newest is at the top of the list.'];
  return html`<div class="nothing">${envelope}<h2>${title}</h2><p>${text}</p></div>`;
}

export function renderPage(
  messages: readonly MessageSummary[],
  selection: Selection,
  now: Date,
): Fragment {
  const selectedId = selection.kind === 'message' ? selection.message.id : undefined;
  const title = selection.kind === 'message' ? `${selection.message.subject} · Mailbox` : 'Mailbox';
  const count = messages.length === 1 ? '1 email' : `${messages.length} emails`;
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${title}</title>
    <link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/assets/style.css">
    <link rel="stylesheet" href="/assets/narrow.css" media="(max-width: 46rem)">
    <script type="module" src="/assets/live.js"></script>
  </head>
  <body data-selected="${selection.kind === 'nothing' ? 'no' : 'yes'}">
    <header class="top">
      ${envelope}
      <h1><a href="/">Mailbox</a></h1>
      <p id="count" aria-live="polite">${count}</p>
    </header>
    <nav id="messages" class="list" aria-label="Emails, newest first">
      <ol>${messages.map((message) => listItem(message, selectedId, now))}</ol>
    </nav>
    <main>${main(selection, messages.length === 0)}</main>
  </body>
</html>
`;
}
