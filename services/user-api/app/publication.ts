import { readEnvironment } from '../../contracts/environment/read.ts';
import { createLogger } from '../observability/logger.ts';
import { CACHE_CONTROL, packagedAssets, START_SCRIPT } from '../reference/assets.ts';
import { DOCUMENT_CACHE_CONTROL } from '../reference/operations.ts';
import {
  CONTENT_SECURITY_POLICY,
  PAGE_CACHE_CONTROL,
  referencePage,
  startScript,
} from '../reference/page.ts';
import { variables } from '../settings/settings.ts';
import { createApp, describeApp } from './app.ts';
import { createDependencies } from './dependencies.ts';

/** Where the files are, relative to the root of the repository. */
export const PUBLICATION_DIRECTORY = 'docs/reference';

const HTML = 'text/html; charset=utf-8';

/** Shown at the root of a distribution, where the API itself answers nothing. */
const frontPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="0; url=/docs">
<title>Headroom</title>
</head>
<body>
<p><a href="/docs">The reference of the API</a></p>
</body>
</html>
`;

/**
 * The OpenAPI document without a running service: everything is built and nothing started, so that no server is asked for anything. Its addresses
 * are relative, as the same file is published by every stage.
 */
async function openApiDocument(): Promise<string> {
  const settings = readEnvironment(variables, {
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing',
    EMAIL_QUEUE_URL: 'http://127.0.0.1:1/queue',
    SERVICE_SECRET: 'nothing is signed with this while documenting',
  });
  const logger = createLogger({ LOG_LEVEL: 'silent', STAGE: settings.STAGE });
  const dependencies = await createDependencies(settings, logger);
  try {
    const app = createApp({
      ...dependencies,
      logger,
      publicUrl: '',
      bodyLimitBytes: settings.REQUEST_BODY_LIMIT_BYTES,
      deadlineMilliseconds: settings.REQUEST_DEADLINE_MILLISECONDS,
    });
    return `${JSON.stringify(describeApp(app, ''), undefined, 1)}\n`;
  } finally {
    await dependencies.close();
  }
}

/** What is published at which path, and how; `lib` reads it from `files.json`. */
const manifest = {
  contentSecurityPolicy: CONTENT_SECURITY_POLICY,
  files: [
    {
      path: '/index.html',
      source: `${PUBLICATION_DIRECTORY}/index.html`,
      mediaType: HTML,
      cacheControl: PAGE_CACHE_CONTROL,
    },
    {
      path: '/docs',
      source: `${PUBLICATION_DIRECTORY}/docs.html`,
      mediaType: HTML,
      cacheControl: PAGE_CACHE_CONTROL,
    },
    {
      path: `/docs/${START_SCRIPT}`,
      source: `${PUBLICATION_DIRECTORY}/${START_SCRIPT}`,
      mediaType: 'text/javascript; charset=utf-8',
      cacheControl: CACHE_CONTROL,
    },
    ...Object.entries(packagedAssets).map(([name, mediaType]) => ({
      path: `/docs/${name}`,
      source: `node_modules/swagger-ui-dist/${name}`,
      mediaType,
      cacheControl: CACHE_CONTROL,
    })),
    {
      path: '/openapi.json',
      source: `${PUBLICATION_DIRECTORY}/openapi.json`,
      mediaType: 'application/json',
      cacheControl: DOCUMENT_CACHE_CONTROL,
    },
  ],
};

/**
 * The files of `docs/reference` by their names: what is served as static files in front of the service, which itself answers the same
 * on a laptop.
 */
export async function publishedFiles(): Promise<Readonly<Record<string, string>>> {
  return {
    'docs.html': referencePage,
    'files.json': `${JSON.stringify(manifest, undefined, 2)}\n`,
    'index.html': frontPage,
    'openapi.json': await openApiDocument(),
    [START_SCRIPT]: startScript,
  };
}
