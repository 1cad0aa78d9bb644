import type { OpenAPIHono } from '@hono/zod-openapi';
import type { ApiEnvironment } from '../http/environment.ts';
import { deprecationOf } from './deprecation.ts';
import { ACCESS_TOKEN_SCHEME, API_KEY_SCHEME } from './describe-route.ts';
import { bodyExamples } from './examples.ts';
import { requestHeaders, responseHeaderNames, responseHeaders } from './headers.ts';
import { limitSchemas } from './limits.ts';
import {
  METHODS,
  type OpenApiDocument,
  type OperationObject,
  type ParameterObject,
  type SecuritySchemeObject,
} from './open-api.ts';
import { operationDetails, tags } from './operation-details.ts';
import { describeProblems } from './problem-responses.ts';

/** The two ways to say who one is. */
const securitySchemes: Record<string, SecuritySchemeObject> = {
  [ACCESS_TOKEN_SCHEME]: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'An access token, from a login or a refresh; good for 10 minutes. A JWT of the type at+jwt, signed with ES256 as RFC8725 recommends: the algorithm is fixed, and issuer, audience and end are checked.',
  },
  [API_KEY_SCHEME]: {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
    description: 'An API key. It may do what its owner may, within its scopes.',
  },
};

/** By name, what a parameter of a path or a query is. */
const descriptions: Readonly<Record<string, string>> = {
  id: 'Id of the user.',
  apiKeyId: 'Id of the API key: a number, not the key.',
  slug: 'The last segment of the `type` of a problem.',
  asset: 'Name of the file.',
  limit: 'Users on a page; 20 by default.',
  cursor: '`nextCursor` of the previous page, unchanged. Its content is not part of the contract.',
  page: 'Page number, from 1; for simple clients, and near the beginning only.',
  per_page: 'Users on a numbered page.',
  status: 'Only users with this status.',
  name_prefix: 'Only users whose name starts with this, case-insensitive, ordered by name.',
  sort: 'By creation time, oldest first; with a minus, newest first.',
};

/** Says of a parameter what it is, where its schema does not. */
function describeParameter<Parameter extends object>(parameter: Parameter): Parameter {
  if (!('name' in parameter) || 'description' in parameter) return parameter;
  const { name } = parameter as Pick<ParameterObject, 'name'>;
  const description = descriptions[name];
  return description === undefined ? parameter : { ...parameter, description };
}

/** What holds for all operations, in Markdown. */
function introduction(aliases: Readonly<Record<string, readonly string[]>>): string {
  const same = Object.entries(aliases).map(
    ([path, others]) =>
      `Below \`${path}\`, the paths ${others.map((other) => `\`${other}\``).join(', ')} answer the same.`,
  );
  return [
    'Register, find, change and delete users, and log in.',
    'Errors are problem details (RFC 9457), `application/problem+json`; their `type` is the path of a page that says what to do.',
    'Every path responds to OPTIONS with its methods (204, `Allow`), to HEAD as to GET without the body, and to other methods with 405. Other paths respond with 404.',
    'Each request counts against a rate limit, shown by `RateLimit-Policy` and `RateLimit`. Over the limit, the response is 429 with `Retry-After`.',
    'Clients must ignore unknown fields, problem types and header fields: new ones do not make a new version. `Deprecation` and `Sunset` announce removals.',
    ...same,
  ].join('\n\n');
}

/** Of the contract, not of the program: raised with each change that clients can see. `docs/client.md` has the rules. */
export const CONTRACT_VERSION = '1.0.0';

export interface DocumentOptions {
  /** The public URL of the API, without a slash at its end. */
  readonly publicUrl: string;
  /** Aliases of a path in the document, by that path. */
  readonly aliases: Readonly<Record<string, readonly string[]>>;
}

function complete(operation: OperationObject, method: string, path: string): OperationObject {
  const name = `${method.toUpperCase()} ${path}`;
  const details = operationDetails[name];
  if (details === undefined) {
    throw new Error(
      `${name} is not in the reference. Add it to services/user-api/reference/operation-details.ts.`,
    );
  }
  const { description, operationId, requestHeaders: heeded = [], tag } = details;
  const parameters = [
    ...(operation.parameters ?? []).map(describeParameter),
    ...heeded.map((header) => ({ $ref: `#/components/parameters/${header}` })),
  ];
  const isDeprecated = deprecationOf({ method: method as 'get', path }) !== undefined;
  const responses = Object.entries(operation.responses ?? {}).map(([status, response]) => {
    const names = [
      ...Object.keys(response.headers ?? {}),
      ...responseHeaderNames(operationId, status),
    ];
    const headers = Object.fromEntries(
      [...new Set(names)].map((header) => [header, { $ref: `#/components/headers/${header}` }]),
    );
    return [status, describeProblems({ ...response, headers }, Number(status))] as const;
  });
  return {
    operationId,
    tags: [tag],
    summary: operation.summary ?? operationId,
    description,
    ...(isDeprecated ? { deprecated: true } : {}),
    ...(operation.security === undefined ? {} : { security: operation.security }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(operation.requestBody === undefined ? {} : { requestBody: operation.requestBody }),
    responses: Object.fromEntries(responses),
  };
}

/**
 * The OpenAPI 3.1 document of the operations that are mounted on `app`: their paths, parameters, bodies and answers come from the schemas
 * that validate and from the tables that decide, and what only people need from the files beside this one.
 *
 * @throws when an operation is not in `operationDetails`, naming it.
 */
export function createOpenApiDocument(
  app: Pick<OpenAPIHono<ApiEnvironment>, 'getOpenAPI31Document'>,
  { aliases, publicUrl }: DocumentOptions,
): OpenApiDocument {
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Headroom user API',
      version: CONTRACT_VERSION,
      description: introduction(aliases),
      license: { name: 'Apache 2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      contact: { name: 'The operator of this API', url: `${publicUrl}/docs` },
    },
    servers: [
      { url: '/', description: 'This server: local, test or production', 'x-internal': false },
    ],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    externalDocs: { description: 'Every type of problem', url: `${publicUrl}/problems` },
  });
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation !== undefined) item[method] = complete(operation, method, path);
    }
  }
  document.components = {
    ...document.components,
    headers: responseHeaders,
    parameters: requestHeaders,
    securitySchemes,
  };
  limitSchemas(document);
  bodyExamples(document);
  return document;
}
