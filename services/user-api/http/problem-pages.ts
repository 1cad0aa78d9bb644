import { createRoute, z } from '@hono/zod-openapi';
import { cacheControl } from '../cache/cache-control.ts';
import type { Operation } from './operations.ts';
import { Problem } from './problem.ts';
import type { ProblemType } from './problem-type.ts';
import { problemTypes } from './problem-types.ts';
import { problems } from './route-parts.ts';

const style =
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}code{background:#8882;padding:.1em .3em}';

/** Longer than any of these pages. */
const PAGE_MAXIMUM_LENGTH = 100_000;

/** Text of the catalogue, in which backticks enclose code, as HTML. */
const htmlOf = (text: string) => text.replace(/`([^`]+)`/g, '<code>$1</code>');

/** Everything in it comes from the catalogue, where nothing needs escaping. */
function page(title: string, content: string): Response {
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${style}</style><h1>${title}</h1>${content}</html>\n`;
  return new Response(html, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': cacheControl.page,
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    },
  });
}

function describe(slug: string, { status, title, meaning, remedy }: ProblemType): Response {
  const content = `<p><code>/problems/${slug}</code>, status ${status}</p><p>${htmlOf(meaning)}</p><h2>What to do</h2><p>${htmlOf(remedy)}</p><p><a href="/problems">All problems</a></p>`;
  return page(title, content);
}

function list(): Response {
  const items = Object.entries(problemTypes).map(
    ([slug, { status, title }]) => `<li>${status} <a href="/problems/${slug}">${title}</a></li>`,
  );
  const introduction =
    '<p>Errors are answered with problem details (RFC 9457). Their <code>type</code> is the path of a page here.</p>';
  return page('Problems', `${introduction}<ul>${items.join('')}</ul>`);
}

const htmlPage = (description: string) => ({
  200: {
    description,
    content: { 'text/html': { schema: z.string().meta({ maxLength: PAGE_MAXIMUM_LENGTH }) } },
  },
});

/** The pages that the `type` of every problem names, made from the catalogue that the problems are made from. */
export function createProblemPageOperations(): Operation[] {
  const types: ReadonlyMap<string, ProblemType> = new Map(Object.entries(problemTypes));
  return [
    {
      route: createRoute({
        method: 'get',
        path: '/problems',
        summary: 'List the types of problems',
        responses: htmlPage('A page that lists them'),
      }),
      handler: list,
    },
    {
      route: createRoute({
        method: 'get',
        path: '/problems/{slug}',
        summary: 'Describe a type of problem',
        request: {
          params: z.object({
            slug: z.string().meta({ maxLength: 100, examples: ['user-not-found'] }),
          }),
        },
        responses: { ...htmlPage('A page that describes it'), ...problems('route-not-found') },
      }),
      handler: ({ req }) => {
        const slug = req.param('slug') ?? '';
        const type = types.get(slug);
        if (type === undefined) throw new Problem('route-not-found', 'No problem has this type.');
        return describe(slug, type);
      },
    },
  ];
}
