import { watch } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { Hono } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import { streamSSE } from 'hono/streaming';
import { HOSTS_ALLOWED, isAddressedDirectly } from '../../contracts/host-check.ts';
import { MailboxFolder } from './messages.ts';
import { renderPage, type Selection, type View, viewsOf } from './page.ts';

/** How long events of the folder are batched before listeners are notified, in milliseconds; one email makes several. */
const CHANGE_QUIET_MILLISECONDS = 50;

const ASSET_TYPES = {
  'style.css': 'text/css; charset=utf-8',
  'narrow.css': 'text/css; charset=utf-8',
  'live.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const;

/** Policy of an email's frame: no script, no form, nothing from the network (no tracking pictures); links open in a window of their own. */
const EMAIL_POLICY = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  'img-src data:',
  "frame-ancestors 'self'",
  'sandbox allow-popups allow-popups-to-escape-sandbox',
].join('; ');

/** Policy of the page: its own style, script and frame only. */
const PAGE_POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Links of an email leave its frame, which shows nothing else. */
function withLinksInNewWindow(html: string): string {
  const base = '<base target="_blank">';
  return /<head[^>]*>/i.test(html)
    ? html.replace(/<head[^>]*>/i, (head) => `${head}${base}`)
    : `${base}${html}`;
}

function isView(text: string | undefined, possible: readonly View[]): text is View {
  return possible.some((view) => view === text);
}

const notFound = { title: 'There is no such email', status: 404 };

export function createMailboxApp(directory: string): Hono {
  const folder = new MailboxFolder(directory);
  const app = new Hono();

  app.use(async (context, next) => {
    if (!isAddressedDirectly(context.req.header('host'))) {
      const detail = `The mailbox is for this machine only: ask for ${HOSTS_ALLOWED}.`;
      const refused = { title: 'Misdirected Request', status: 421, detail };
      return context.json(refused, 421, { 'Content-Type': 'application/problem+json' });
    }
    await next();
    context.header('Cache-Control', 'no-store');
    if (!context.res.headers.has('Content-Security-Policy')) {
      context.header('Content-Security-Policy', PAGE_POLICY);
    }
    return;
  });
  // Plain HTTP on loopback needs no TLS; and the frame, which has no origin, cannot have an agent cluster.
  app.use(secureHeaders({ strictTransportSecurity: false, originAgentCluster: false }));

  app.get('/', async (context) => {
    const selection: Selection = { kind: 'nothing' };
    return context.html(renderPage(await folder.list(), selection, new Date()));
  });

  app.get('/messages/:id', async (context) => {
    const [messages, message] = await Promise.all([
      folder.list(),
      folder.read(context.req.param('id')),
    ]);
    if (message === null) {
      return context.html(renderPage(messages, { kind: 'missing' }, new Date()), 404);
    }
    const possible = viewsOf(message);
    const asked = context.req.query('view');
    const view = isView(asked, possible) ? asked : possible[0];
    return context.html(renderPage(messages, { kind: 'message', message, view }, new Date()));
  });

  app.get('/messages/:id/html', async (context) => {
    const message = await folder.read(context.req.param('id'));
    if (message?.html === undefined) return context.text(`${notFound.title}\n`, 404);
    context.header('Content-Security-Policy', EMAIL_POLICY);
    return context.html(withLinksInNewWindow(message.html));
  });

  app.get('/messages/:id/source', async (context) => {
    const id = context.req.param('id');
    const source = await folder.source(id);
    if (source === null) return context.text(`${notFound.title}\n`, 404);
    context.header('Content-Type', 'message/rfc822');
    context.header('Content-Disposition', `attachment; filename="${id}.eml"`);
    return context.body(source);
  });

  app.get('/api/messages', async (context) => context.json({ messages: await folder.list() }));

  app.get('/api/messages/:id', async (context) => {
    const message = await folder.read(context.req.param('id'));
    if (message !== null) return context.json(message);
    return context.json(notFound, 404, { 'Content-Type': 'application/problem+json' });
  });

  app.get('/events', (context) =>
    streamSSE(context, async (stream) => {
      await mkdir(directory, { recursive: true });
      await new Promise<void>((resolve) => {
        let quiet: NodeJS.Timeout | undefined;
        const watcher = watch(directory, () => {
          clearTimeout(quiet);
          quiet = setTimeout(
            () => void stream.writeSSE({ event: 'changed', data: '' }),
            CHANGE_QUIET_MILLISECONDS,
          );
        });
        // Deleting the folder ends the stream; the browser reconnects.
        watcher.on('error', () => resolve());
        stream.onAbort(() => resolve());
        void stream.writeSSE({ event: 'changed', data: '' });
        stream.onAbort(() => {
          clearTimeout(quiet);
          watcher.close();
        });
      });
    }),
  );

  for (const [name, type] of Object.entries(ASSET_TYPES)) {
    app.get(`/assets/${name}`, async (context) => {
      context.header('Content-Type', type);
      return context.body(await readFile(new URL(`./assets/${name}`, import.meta.url), 'utf8'));
    });
  }
  return app;
}
