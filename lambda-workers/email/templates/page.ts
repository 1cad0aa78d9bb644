import { html } from 'hono/html';

type Html = ReturnType<typeof html>;

/** The HTML part of an email. hono's `html` escapes what is put into it, so that text never becomes markup. */
export async function composePage(title: string, content: Html): Promise<string> {
  const page = await html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="color-scheme" content="light dark">
    <title>${title}</title>
  </head>
  <body style="margin: 0; font-family: system-ui, sans-serif; line-height: 1.5">
    <main style="max-width: 36em; margin: 0 auto; padding: 2em 1em">
      <h1 style="font-size: 1.5em">${title}</h1>
      ${content}
    </main>
  </body>
</html>
`;
  return String(page);
}
