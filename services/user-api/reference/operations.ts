import { createRoute, z } from '@hono/zod-openapi';
import type { Operation } from '../http/operations.ts';
import { Problem } from '../http/problem.ts';
import { problems } from '../http/route-parts.ts';
import { createAssets } from './assets.ts';
import { fileResponse, type PublishedFile, publishFile } from './files.ts';
import type { OpenApiDocument } from './open-api.ts';
import { referencePageResponse } from './page.ts';

/** Longer than any of the files. */
const FILE_MAXIMUM_LENGTH = 10_000_000;
/** Five minutes, and then asked for again by its ETag: short, because it changes with a deployment, and clients are made from it. */
export const DOCUMENT_CACHE_CONTROL = 'public, max-age=300';

const text = z.string().meta({ maxLength: FILE_MAXIMUM_LENGTH });
const notModified = { description: 'The document in If-None-Match is current' };

export const openApiRoute = createRoute({
  method: 'get',
  path: '/openapi.json',
  summary: 'The OpenAPI document',
  responses: {
    200: {
      description: 'An OpenAPI 3.1 document',
      content: {
        'application/json': { schema: z.looseObject({ openapi: z.literal('3.1.0') }) },
      },
    },
    304: notModified,
  },
});

export const referencePageRoute = createRoute({
  method: 'get',
  path: '/docs',
  summary: 'The reference page',
  responses: { 200: { description: 'A page', content: { 'text/html': { schema: text } } } },
});

export const referenceAssetRoute = createRoute({
  method: 'get',
  path: '/docs/{asset}',
  summary: 'A file of the reference page',
  request: {
    params: z.object({
      asset: z.string().meta({ maxLength: 100, examples: ['swagger-ui.css'] }),
    }),
  },
  responses: {
    200: {
      description: 'The file',
      content: {
        'text/javascript': { schema: text },
        'text/css': { schema: text },
        'image/png': {
          schema: z.string().meta({ maxLength: FILE_MAXIMUM_LENGTH, format: 'binary' }),
        },
      },
    },
    304: notModified,
    ...problems('route-not-found'),
  },
});

/**
 * The operations that tell what the API is.
 *
 * @param makeDocument - called once, when the document is first asked for, as it needs all operations to be mounted.
 */
export function createReferenceOperations(makeDocument: () => OpenApiDocument): Operation[] {
  const assetOf = createAssets();
  let document: Promise<PublishedFile> | undefined;
  return [
    {
      route: openApiRoute,
      handler: async ({ env }) => {
        document ??= publishFile(
          Buffer.from(JSON.stringify(makeDocument())),
          'application/json',
          DOCUMENT_CACHE_CONTROL,
        );
        return fileResponse(await document, env.incoming.headers);
      },
    },
    { route: referencePageRoute, handler: referencePageResponse },
    {
      route: referenceAssetRoute,
      handler: async ({ env, req }) => {
        const asset = assetOf(req.param('asset') ?? '');
        if (asset === undefined) throw new Problem('route-not-found', 'The page has no such file.');
        return fileResponse(await asset, env.incoming.headers);
      },
    },
  ];
}
